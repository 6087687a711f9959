"""The socket side: HTTP/1.1 with keep-alive, a thread per connection, a quick and clean stop."""

from __future__ import annotations

import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote

from .wire import Reply, Request, json_reply

MAX_BODY_BYTES = 1_000_000
IDLE_CONNECTION_SECONDS = 60


class Application(Protocol):
    """What is served."""

    def handle(self, request: Request) -> Reply: ...


class SimulatorServer(ThreadingHTTPServer):
    """Serves an application. After `close` no thread and no connection of it is left."""

    request_queue_size = 1024
    # Stopping waits for the connection threads; closing their sockets makes that quick.
    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self.connections: set[socket.socket] = set()
        self.connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The inherited method looks up the host's name, which may ask a name server.
        socket_address = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.connections_lock:
            self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.connections_lock:
            self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop serving. Call it from another thread than the one that serves."""
        self.shutdown()
        with self.connections_lock:
            open_now = list(self.connections)
        for connection in open_now:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_CONNECTION_SECONDS
    server: SimulatorServer

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(json_reply(413, {"error": {"message": "The body is too large."}}))
            return
        body = self.rfile.read(int(length))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command, unquote(path), query, body.decode("utf-8", "replace"), headers
        )
        reply = self.server.application.handle(request)
        if reply.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        phrase = HTTPStatus(reply.status).phrase
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            "Server: simulator",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {_one_line(value)}" for name, value in reply.headers),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        # One write: head and body in separate segments would wait for each other.
        self.wfile.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the counts are at `/_sim/state`."""

    do_GET = do_POST = do_DELETE = do_OPTIONS = _serve  # noqa: N815


def _one_line(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")
