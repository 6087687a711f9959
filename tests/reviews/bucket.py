"""An S3 bucket that takes presigned POSTs: it checks the policy and its signature as S3 does.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

BUCKET, SECRET = "pictures", "a-secret"


class Bucket(ThreadingHTTPServer):
    """Objects by key. Reading and deleting them isn't what is tested, so nobody must sign it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        fields, file = self._form()
        self._answer(*self._refused(fields, file))

    def _refused(self, fields: dict[str, str], file: bytes) -> tuple[int, bytes]:
        policy = json.loads(base64.b64decode(fields["policy"]))
        if fields["x-amz-signature"] != _signature(fields):
            return 403, b"SignatureDoesNotMatch"
        if datetime.fromisoformat(policy["expiration"]) < datetime.now(UTC):
            return 403, b"Policy expired"
        given = {**{name.lower(): value for name, value in fields.items()}, "bucket": BUCKET}
        named = {"policy", "x-amz-signature"}
        for condition in policy["conditions"]:
            if isinstance(condition, dict):
                ((name, value),) = condition.items()
                named.add(name.lower())
                if given.get(name.lower()) != value:
                    return 403, f"Policy Condition failed: {name}".encode()
            elif condition[0] == "content-length-range":
                if not condition[1] <= len(file) <= condition[2]:
                    return 400, b"EntityTooLarge"
            else:
                raise AssertionError(condition)
        if extra := given.keys() - named - {"bucket"}:
            return 403, f"Extra input fields: {extra}".encode()
        self.server.objects[fields["key"]] = file
        return 204, b""

    def _form(self) -> tuple[dict[str, str], bytes]:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields, file = {}, b""
        for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if name == "file":
                file = content
                break
            fields[name] = content.decode()
        return fields, file

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}/")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        found = self.server.objects.get(self._key())
        self._answer(404 if found is None else 200, found or b"")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.objects[self._key()] = _unchunked(body, self.headers)
        self._answer(200, b"")

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._key(), None)
        self._answer(204, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)


def _unchunked(body: bytes, headers: Any) -> bytes:
    """The body without the framing of aws-chunked, where it has one."""
    if "aws-chunked" not in headers.get("Content-Encoding", ""):
        return body
    plain = b""
    while True:
        line, _, body = body.partition(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if not size:
            return plain
        plain, body = plain + body[:size], body[size + 2 :]


def _signature(fields: dict[str, str]) -> str:
    """AWS Signature Version 4 of the policy."""
    _key, *scope = fields["x-amz-credential"].split("/")
    key = f"AWS4{SECRET}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, fields["policy"].encode(), hashlib.sha256).hexdigest()
