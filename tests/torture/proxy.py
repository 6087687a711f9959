"""A door between a server and its database that can be slammed: at an answer, or for a while."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Connect = Callable[[], socket.socket]


class Door:
    """Forwards connections; counts the COMMITs that pass."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._commits_left = 0
        self.shut = False
        self.lost = 0

    def lose_answer_to_commit(self, number: int) -> None:
        """The database will do the number-th COMMIT from now; its client won't be told."""
        self._commits_left = number

    def slam(self) -> None:
        """Cut every connection, and the coming ones at once, until `shut` is False again."""
        self.shut = True
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self.shut:
                client.close()
                continue
            database = self._connect()
            with self._lock:
                self._open |= {client, database}
            losing = threading.Event()
            for source, target in ((client, database), (database, client)):
                threading.Thread(
                    target=self._forward, args=(source, target, client, losing), daemon=True
                ).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.slam()

    def _forward(
        self,
        source: socket.socket,
        target: socket.socket,
        client: socket.socket,
        losing: threading.Event,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source is client and b"COMMIT" in data and self._is_the_one():
                    losing.set()
                elif source is not client and losing.is_set():
                    self.lost += 1
                    break
                target.sendall(data)
        for connection in (source, target):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        with self._lock:
            self._open -= {source, target}

    def _is_the_one(self) -> bool:
        with self._lock:
            self._commits_left -= 1
            return self._commits_left == 0


@contextlib.contextmanager
def door_to(connect: Connect) -> Iterator[Door]:
    """An open door, until the block ends."""
    door = Door(connect)
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.close()
        thread.join(timeout=10)
