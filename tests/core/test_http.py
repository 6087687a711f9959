"""The only way out: no private address, no redirect, nothing large, nothing slow."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.core.http import FetchError, fetch


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hits.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/ok")
            self.end_headers()
            return
        if self.path == "/error":
            self.send_response(500)
            self.end_headers()
            return
        body = b"x" * (200_000 if self.path == "/large" else 5)
        self.send_response(200)
        self.send_header("Content-Type", "Text/Plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        return


@pytest.fixture
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.hits = []
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def _url(server, path, host="127.0.0.1"):
    return f"http://{host}:{server.server_port}{path}"


def test_fetch_returns_the_whole_body(server):
    found = fetch(_url(server, "/ok"), max_bytes=5)
    assert (found.status, found.content_type, found.body) == (200, "text/plain", b"xxxxx")


@pytest.mark.parametrize(
    ("path", "limit"), [("/redirect", 10), ("/error", 10), ("/large", 199_999), ("/ok", 4)]
)
def test_fetch_refuses_redirects_errors_and_large_bodies(server, path, limit):
    with pytest.raises(FetchError):
        fetch(_url(server, path), max_bytes=limit)
    assert server.hits == [path]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104 (asked, not bound)
        "0",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
    ],
)
def test_loopback_is_never_asked_however_it_is_written(server, settings, host):
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(FetchError):
        fetch(_url(server, "/ok", host), max_bytes=100)
    assert server.hits == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
    ],
)
def test_private_networks_are_never_asked(settings, url):
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(FetchError) as refused:
        fetch(url, max_bytes=100)
    assert "InvalidIPAddress" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "",
        "//x",
        "http://",
        "http:// ",
    ],
)
def test_only_addresses_of_the_web_are_fetched(url):
    with pytest.raises(FetchError):
        fetch(url, max_bytes=100)
