"""Varnish and nginx with our configurations, in front of a running server."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.house import ROOT
from tests.torture.serving import Server, free_port, until

SECRET = "of-this-test"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def hit(self) -> bool:
        return (self.headers["X-Cache"] or "").lower() == "hit"


@dataclass(frozen=True)
class Edge:
    port: int

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={"Accept": "application/json", **named})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


def program(name: str) -> str:
    """Where it is; the test is skipped without it, and fails in CI."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} isn't installed.")
        pytest.skip(f"{name} isn't installed.")
    return found


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[Edge]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    edge = Edge(port)

    def answers() -> bool:
        if process.poll() is not None:
            raise AssertionError(process.stdout.read().decode()[-3000:])
        try:
            return edge.ask("/health/live/").status == 200
        except (OSError, http.client.HTTPException):
            return False

    try:
        assert until(answers, 60)
        yield edge
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def varnish(server: Server, folder: Path) -> Iterator[Edge]:
    vcl = (ROOT / "docker/varnish/default.vcl").read_text()
    vcl = vcl.replace('"web"', '"127.0.0.1"').replace('"8000"', f'"{server.port}"')
    (folder / "test.vcl").write_text(vcl)
    port = free_port()
    command = [program("varnishd"), "-F", "-j", "none", "-n", str(folder / "varnish")]
    command += ["-a", f"127.0.0.1:{port}", "-s", "malloc,32m", "-f", str(folder / "test.vcl")]
    with running(command, port, VARNISH_SECRET=SECRET) as edge:
        yield edge


@contextmanager
def nginx(server: Server, folder: Path) -> Iterator[Edge]:
    port = free_port()
    configuration = (ROOT / "docker/nginx/nginx.conf").read_text()
    for was, now in (
        ("server web:8000", f"server 127.0.0.1:{server.port}"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("/tmp/nginx", str(folder / "nginx")),  # noqa: S108 (of the container)
        ("worker_processes auto", "worker_processes 1"),
    ):
        assert was in configuration
        configuration = configuration.replace(was, now)
    if os.geteuid() == 0:
        # Its workers would be nobody, who may not write to the test's folder.
        configuration = "user root;\n" + configuration
    (folder / "test.conf").write_text(configuration)
    command = [program("nginx"), "-c", str(folder / "test.conf"), "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with running([*command, "-g", "daemon off;"], port) as edge:
        yield edge
