"""Scanning what strangers send us, by clamd where there is one (`CLAMD_URL`)."""

from __future__ import annotations

import socket
import struct
from contextlib import closing
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT = 30.0
_CHUNK = 64 * 1024
_LONGEST_ANSWER = 4096


class ScannerDown(Exception):
    """The scanner can't be reached, or doesn't say what it found: nothing is known of the file."""


def virus_in(data: bytes) -> str | None:
    """The name of the virus in `data`; None where there is none, or no scanner is configured.

    Speaks INSTREAM (clamd(8)): chunks with their length before them, ended by an empty one.
    Raises ScannerDown.
    """
    if not settings.CLAMD_URL:
        return None
    try:
        with closing(_connect(settings.CLAMD_URL)) as scanner:
            scanner.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), _CHUNK):
                chunk = data[start : start + _CHUNK]
                scanner.sendall(struct.pack("!L", len(chunk)) + chunk)
            scanner.sendall(struct.pack("!L", 0))
            answer = _answer(scanner)
    except OSError as error:
        raise ScannerDown(f"{type(error).__name__}: {error}") from error
    verdict = answer.removeprefix("stream: ")
    if verdict == "OK":
        return None
    if verdict.endswith(" FOUND"):
        return verdict.removesuffix(" FOUND")
    raise ScannerDown(answer[:200] or "It hung up.")


def _connect(url: str) -> socket.socket:
    """`tcp://host:3310` or `unix:///run/clamav/clamd.ctl`. Raises OSError."""
    parts = urlsplit(url)
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname or "", parts.port or 3310), TIMEOUT)
    if parts.scheme != "unix":
        raise OSError("CLAMD_URL is tcp://host:port or unix:///path.")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT)
    try:
        connection.connect(parts.path)
    except OSError:
        connection.close()
        raise
    return connection


def _answer(scanner: socket.socket) -> str:
    """What it says, up to the NUL that ends it."""
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        part = scanner.recv(_LONGEST_ANSWER)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")
