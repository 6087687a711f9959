"""A VIES on loopback that speaks its SOAP."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from xml.etree import ElementTree

TYPES = "urn:ec.europa.eu:taxud:vies:services:checkVat:types"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "valid"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b"<s>&b;</s>"
)


def fault(text: str) -> tuple[int, bytes]:
    """As the service tells what went wrong."""
    inner = f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{text}</faultstring></s:Fault>"
    return 500, _envelope(inner)


def _envelope(inner: str) -> bytes:
    return f'<s:Envelope xmlns:s="{_SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


class Vies(BaseHTTPRequestHandler):
    """Knows the numbers in `known`, with their names; `answer` is given instead, if set."""

    known: dict[str, str] = {}
    answer: tuple[int, bytes] | None = None
    bodies: list[bytes] = []
    # Says this country's name instead of the one it was asked for.
    another = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(body)
        status, answer = self.answer or (200, self._answer(body))
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=UTF-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, body: bytes) -> bytes:
        asked = ElementTree.fromstring(body).find(f"{{{_SOAP}}}Body")[0]  # type: ignore[index]  # noqa: S314
        operation = asked.tag.split("}")[1]
        values = {child.tag.split("}")[1]: child.text or "" for child in asked}
        country, number = values["countryCode"], values["vatNumber"]
        name = self.known.get(country + number)
        trader = "trader" if operation == "checkVatApprox" else ""
        fields = {
            "countryCode": self.another or country,
            "vatNumber": number,
            "requestDate": "2030-06-15+02:00",
            "valid": "true" if name is not None else "false",
            "traderName" if trader else "name": name or "---",
            "traderAddress" if trader else "address": "Street 1\nTown" if name else "---",
        }
        if trader:
            fields["requestIdentifier"] = "WAPIAAAA1"
        inner = "".join(f"<t:{key}>{value}</t:{key}>" for key, value in fields.items())
        return _envelope(
            f'<t:{operation}Response xmlns:t="{TYPES}">{inner}</t:{operation}Response>'
        )

    def log_message(self, *args: object) -> None:
        pass
