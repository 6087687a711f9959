"""A ShipStation on this machine: real HTTP, PDF labels, signed webhooks, and faults on demand.

It sells a label for every order it gets, even twice under one external id: whoever wants one
label must see to it. No network beyond loopback.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from apps.core.pdf import draw_code128, new_pdf

# What each service costs, and what for each kilogram, in dollars.
PRICES = {"usps_priority_mail": (5.25, 1.5), "ups_ground": (8.1, 0.75)}
KEY_ID = "simulated-key"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as a contract test wants them."""

    method: str
    path: str
    query: dict[str, list[str]]
    request: Any
    status: int
    response: Any


@dataclass
class Fault:
    """What befalls the next requests whose path matches: an answer of `status`, `delay` seconds,
    or (`drop`) the work is done and the connection closed without an answer."""

    path: str
    status: int = 0
    delay: float = 0.0
    drop: bool = False
    times: int = 1


@dataclass
class Parcel:
    label: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)


class ShipStationSimulator:
    def __init__(self, *, api_key: str = "TEST_simulator", prices: dict | None = None) -> None:
        self.api_key = api_key
        self.prices = prices or PRICES
        self.parcels: dict[str, Parcel] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.refusal = ""
        self.lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}" if self._server else ""

    def __enter__(self) -> ShipStationSimulator:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def fault(self, path: str, **what: Any) -> None:
        """Let the next request whose path contains `path` go wrong: see Fault."""
        with self.lock:
            self.faults.append(Fault(path, **what))

    @property
    def bought(self) -> list[dict[str, Any]]:
        """Labels that were sold and not given back."""
        return [p.label for p in self.parcels.values() if not p.label["voided"]]

    def scan(self, tracking_number: str, code: str, detail: str, at: datetime) -> None:
        """The carrier saw a parcel: `code` and `detail` as ShipEngine names them."""
        [parcel] = [
            p for p in self.parcels.values() if p.label["tracking_number"] == tracking_number
        ]
        stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        parcel.events.append(
            {
                "occurred_at": stamp,
                "description": detail.replace("_", " ").capitalize(),
                "city_locality": "Austin",
                "state_province": "TX",
                "postal_code": "78756",
                "country_code": "US",
                "carrier_detail_code": detail,
                "status_code": code,
                "status_detail_code": detail,
                "status_description": detail.replace("_", " ").capitalize(),
                "carrier_status_code": code,
                "carrier_status_description": detail,
            }
        )

    def webhook(self, tracking_number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        """Headers and body of the webhook that tells of a parcel."""
        [key] = [
            k for k, p in self.parcels.items() if p.label["tracking_number"] == tracking_number
        ]
        body = json.dumps(
            {
                "resource_url": f"{self.url}/v1/labels/{key}/track",
                "resource_type": "API_TRACK",
                "data": self.tracking(key),
            }
        ).encode()
        stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        signature = _private_key().sign(f"{stamp}.".encode() + body, PKCS1v15(), SHA256())
        return {
            "Content-Type": "application/json",
            "x-shipengine-rsa-sha256-key-id": KEY_ID,
            "x-shipengine-rsa-sha256-signature": base64.b64encode(signature).decode(),
            "x-shipengine-timestamp": stamp,
        }, body

    def tracking(self, key: str) -> dict[str, Any]:
        parcel = self.parcels[key]
        last = parcel.events[-1] if parcel.events else None
        return {
            "tracking_number": parcel.label["tracking_number"],
            "tracking_url": parcel.label["tracking_url"],
            "status_code": last["status_code"] if last else "NY",
            "carrier_code": "usps",
            "carrier_status_code": last["carrier_status_code"] if last else "NY",
            "status_description": last["status_description"] if last else "Not yet in system",
            "events": list(parcel.events),
        }

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The status and the document for a request that is allowed to be made."""
        for verb, pattern, act in _ROUTES:
            if verb == method and (found := re.fullmatch(pattern, path)):
                return act(self, body, *found.groups())
        return _problem(404, "Not found.", "invalid_identifier")

    def _rates(self, body: Any) -> tuple[int, Any]:
        grams = body["weight"]["value"]
        return 200, [
            _estimate(body["carrier_ids"][0], code, round(base + per_kg * grams / 1000, 2))
            for code, (base, per_kg) in self.prices.items()
        ]

    def _buy(self, body: Any) -> tuple[int, Any]:
        shipment = body["shipment"]
        if self.refusal:
            return _problem(400, self.refusal, "invalid_address")
        if shipment["service_code"] not in self.prices:
            return _problem(400, "There is no such service.", "invalid_field_value")
        base, per_kg = self.prices[shipment["service_code"]]
        grams = sum(package["weight"]["value"] for package in shipment["packages"])
        label = _sold(shipment, round(base + per_kg * grams / 1000, 2), len(self.parcels) + 1)
        label |= {name: body[name] for name in ("is_return_label", "rma_number") if name in body}
        self.parcels[label["label_id"]] = Parcel(label)
        return 200, label

    def _find(self, _body: Any, external: str) -> tuple[int, Any]:
        for parcel in self.parcels.values():
            if parcel.label["external_shipment_id"] == external:
                return 200, parcel.label
        return _problem(404, "There is no such label.", "invalid_identifier")

    def _void(self, _body: Any, key: str) -> tuple[int, Any]:
        if key not in self.parcels:
            return _problem(404, "There is no such label.", "invalid_identifier")
        label = self.parcels[key].label
        if label["voided"]:
            already = "label_already_voided"
            return 200, {"approved": False, "message": "Voided before.", "reason_code": already}
        if self.parcels[key].events:
            used = "label_already_used"
            return 200, {"approved": False, "message": "It is under way.", "reason_code": used}
        label |= {"voided": True, "voided_at": _stamp(), "status": "voided"}
        return 200, {"approved": True, "message": "Voided."}

    def _track(self, _body: Any, key: str) -> tuple[int, Any]:
        if key not in self.parcels:
            return _problem(404, "There is no such label.", "invalid_identifier")
        return 200, self.tracking(key)

    def _keys(self, _body: Any) -> tuple[int, Any]:
        numbers = _private_key().public_key().public_numbers()
        public = {"kty": "RSA", "kid": KEY_ID, "alg": "RS256", "use": "sig"}
        return 200, {"keys": [{**public, "n": _base64(numbers.n), "e": _base64(numbers.e)}]}

    def _take_orders(self, body: Any) -> tuple[int, Any]:
        """API v1: an order key that is known is an order that changes."""
        results = []
        for order in body:
            self.orders[order["orderKey"]] = order
            results.append({"orderKey": order["orderKey"], "success": True, "errorMessage": None})
        return 200, {"hasErrors": False, "results": results}


_Act = Callable[..., tuple[int, Any]]
_ROUTES: tuple[tuple[str, str, _Act], ...] = (
    ("POST", "/v1/rates/estimate", ShipStationSimulator._rates),
    ("POST", "/v1/labels", ShipStationSimulator._buy),
    ("GET", "/v1/labels/external_shipment_id/([^/]+)", ShipStationSimulator._find),
    ("PUT", "/v1/labels/([^/]+)/void", ShipStationSimulator._void),
    ("GET", "/v1/labels/([^/]+)/track", ShipStationSimulator._track),
    ("GET", "/jwks", ShipStationSimulator._keys),
    ("POST", "/orders/createorders", ShipStationSimulator._take_orders),
)


def _handler(simulator: ShipStationSimulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            with simulator.lock:
                fault = next((f for f in simulator.faults if f.path in parts.path), None)
                if fault is not None:
                    fault.times -= 1
                    if not fault.times:
                        simulator.faults.remove(fault)
            time.sleep(fault.delay if fault else 0)
            if fault and fault.status:
                status, document = _problem(fault.status, "Something went wrong.", "unspecified")
            elif not parts.path.startswith("/orders/") and (
                self.headers.get("API-Key") != simulator.api_key
            ):
                status, document = _problem(401, "The API key is invalid.", "unauthorized")
            else:
                with simulator.lock:
                    status, document = simulator.answer(self.command, parts.path, body)
            query = parse_qs(parts.query)
            exchange = Exchange(self.command, parts.path, query, body, status, document)
            simulator.exchanges.append(exchange)
            if fault and fault.drop:
                self.close_connection = True
                return
            sent = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 (the names are http.server's)

        def log_request(self, *args: Any) -> None:
            """Silence."""

    return Handler


@cache
def _private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _money(amount: float) -> dict[str, object]:
    return {"currency": "usd", "amount": amount}


def _problem(status: int, message: str, code: str) -> tuple[int, Any]:
    kind = "security" if status == 401 else "validation" if status < 500 else "system"
    error = {
        "error_source": "shipengine",
        "error_type": kind,
        "error_code": code,
        "message": message,
    }
    return status, {"request_id": str(uuid4()), "errors": [error]}


def _estimate(carrier_id: str, code: str, price: float) -> dict[str, Any]:
    return {
        "rate_type": "check",
        "carrier_id": carrier_id,
        "shipping_amount": _money(price),
        "insurance_amount": _money(0),
        "confirmation_amount": _money(0),
        "other_amount": _money(0),
        "zone": None,
        "package_type": "package",
        "delivery_days": 3,
        "guaranteed_service": False,
        "negotiated_rate": False,
        "service_type": code.replace("_", " ").title(),
        "service_code": code,
        "trackable": True,
        "carrier_code": code.partition("_")[0],
        "carrier_nickname": "Simulated",
        "carrier_friendly_name": "Simulated",
        "validation_status": "unknown",
        "warning_messages": [],
        "error_messages": [],
    }


def _sold(shipment: dict[str, Any], price: float, number: int) -> dict[str, Any]:
    tracking = f"9400{number:018d}"
    document = base64.b64encode(draw_label(shipment, tracking)).decode()
    abroad = shipment["ship_to"]["country_code"] != shipment["ship_from"]["country_code"]
    downloads = dict.fromkeys(
        ("form_download", "qr_code_download", "paperless_download", "insurance_claim")
    )
    return {
        **downloads,
        "label_id": f"se-{number}",
        "status": "completed",
        "shipment_id": f"se-{1000 + number}",
        "external_shipment_id": shipment.get("external_shipment_id"),
        "external_order_id": None,
        "ship_date": _stamp(),
        "created_at": _stamp(),
        "shipment_cost": _money(price),
        "insurance_cost": _money(0),
        "tracking_number": tracking,
        "tracking_url": f"https://tools.usps.com/go/TrackConfirmAction?tLabels={tracking}",
        "is_return_label": False,
        "rma_number": None,
        "is_international": abroad,
        "batch_id": "se-0",
        "carrier_id": shipment["carrier_id"],
        "charge_event": "carrier_default",
        "service_code": shipment["service_code"],
        "package_code": "package",
        "voided": False,
        "voided_at": None,
        "label_format": "pdf",
        "display_scheme": "label",
        "label_layout": "4x6",
        "trackable": True,
        "label_image_id": None,
        "carrier_code": "usps",
        "tracking_status": "unknown",
        "label_download": {"href": f"data:application/pdf;base64,{document}"},
        "packages": [
            {"weight": package["weight"], "tracking_number": tracking, "sequence": n}
            for n, package in enumerate(shipment["packages"], 1)
        ],
        "ship_to": shipment["ship_to"],
    }


def draw_label(shipment: dict[str, Any], tracking: str) -> bytes:
    """A label of four by six inches."""
    pdf = new_pdf(title=tracking, made_at=datetime.now(UTC), size=(101.6, 152.4), margin=6)
    pdf.add_page()
    for kind in ("ship_from", "ship_to"):
        place = shipment[kind]
        names = ("name", "address_line1", "city_locality", "postal_code", "country_code")
        pdf.multi_cell(0, 5, "\n".join(str(place.get(name, "")) for name in names))
        pdf.ln(4)
    draw_code128(pdf, tracking, x=6, y=100, width=89, height=30)
    pdf.set_xy(6, 132)
    pdf.cell(89, 6, tracking, align="C")
    return bytes(pdf.output())
