"""ShipStation's API (ShipEngine): rates, labels, voids and tracking of the carriers behind it.

https://www.shipengine.com/docs/reference/. A service is "<carrier id>:<service code>", such as
"se-28529731:usps_priority_mail".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from apps.core import http
from apps.core.money import MoneyError, to_decimal, to_minor
from apps.shipping.carriers.base import (
    Address,
    Carrier,
    CarrierError,
    CarrierRate,
    InvalidSignature,
    Label,
    LabelRequest,
    Package,
    RateRequest,
    TrackingEvent,
)
from apps.shipping.carriers.shipstation.signatures import verify

# Labels come within the answer, so that no address of theirs is fetched.
_MAX_BYTES = 8 * 2**20
_STATES = {
    "AC": "in_transit",
    "IT": "in_transit",
    "DE": "delivered",
    "AT": "failed",
    "EX": "failed",
    "SP": "in_transit",
}
_DETAILS = {
    "RETURN_TO_SENDER": "returned",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    # Exceptions that keep nobody from delivering it later.
    **dict.fromkeys(
        (
            *("ADDRESS_QUERY", "CARRIER_DELAYS", "DELAYED_NOT_CARRIER", "HELD_BY_CARRIER"),
            *("HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING", "HELD_BY_CUSTOMS"),
            *("INCORRECT_DECLARATION", "MISROUTED", "PARCEL_REPACKED"),
            *("RECD_BY_CARRIER_NO_ELEC_ADVICE",),
        ),
        "in_transit",
    ),
}


class ShipStationCarrier(Carrier):
    def rates(self, request: RateRequest) -> Sequence[CarrierRate]:
        origin = _home() if request.origin.country == _home().country else request.origin
        found = self._call(
            "POST",
            "/v1/rates/estimate",
            {
                "carrier_ids": settings.SHIPSTATION_CARRIER_IDS,
                **_place("from", origin),
                **_place("to", request.destination),
                "weight": _weight(sum(package.weight for package in request.packages)),
                "ship_date": timezone.now().isoformat(timespec="seconds"),
            },
        )
        if not isinstance(found, list):
            raise CarrierError("ShipStation answered something else.", permanent=False)
        rates = [_rate(rate) for rate in found if not rate.get("error_messages")]
        return [rate for rate in rates if rate is not None]

    def label(self, request: LabelRequest) -> Label:
        # ShipEngine keeps no idempotency keys: whether it was bought is asked by our own id.
        known = self._call(
            "GET",
            f"/v1/labels/external_shipment_id/{quote(request.key)}?label_download_type=inline",
            missing_is_none=True,
        )
        return _label(known or self._call("POST", "/v1/labels", _label_body(request)))

    def void(self, provider_id: str) -> None:
        answer = self._call("PUT", f"/v1/labels/{quote(provider_id)}/void")
        if not answer["approved"] and answer.get("reason_code") != "label_already_voided":
            raise CarrierError(answer["message"] or "The label can't be voided.", permanent=True)

    def track(self, tracking_number: str, *, provider_id: str = "") -> Sequence[TrackingEvent]:
        if not provider_id:
            raise CarrierError("Only labels of our own are tracked.", permanent=True)
        found = self._call("GET", f"/v1/labels/{quote(provider_id)}/track")
        try:
            return [_event(event) for event in found["events"]]
        except (LookupError, TypeError, ValueError) as error:
            raise CarrierError(f"Unreadable tracking: {error}", permanent=False) from error

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[str]:
        verify(headers, body, now=timezone.now(), fetch=lambda: self._call("GET", "/jwks"))
        event = json.loads(body)
        if not isinstance(event, dict):
            raise InvalidSignature("This isn't an event.")
        if event.get("resource_type") != "API_TRACK":
            return ()
        number = (event.get("data") or {}).get("tracking_number")
        return (number,) if isinstance(number, str) and number else ()

    @staticmethod
    def _call(method: str, path: str, body: object = None, *, missing_is_none: bool = False) -> Any:
        if not settings.SHIPSTATION_API_KEY:
            raise CarrierError("SHIPSTATION_API_KEY isn't set.", permanent=True)
        sent = None if body is None else json.dumps(body).encode()
        try:
            answer = http.send(
                method,
                settings.SHIPSTATION_API_BASE + path,
                max_bytes=_MAX_BYTES,
                headers={
                    "API-Key": settings.SHIPSTATION_API_KEY,
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                },
                body=sent,
                inside=True,
            )
        except http.FetchError as error:
            raise CarrierError(str(error), permanent=False) from error
        if answer.status == 404 and missing_is_none:
            return None
        if not 200 <= answer.status < 300:
            # Too many requests, and whatever went wrong over there, may go well later.
            permanent = 400 <= answer.status < 500 and answer.status not in (408, 409, 429)
            raise CarrierError(_refusal(answer), permanent=permanent)
        try:
            return json.loads(answer.body, parse_float=Decimal)
        except ValueError as error:
            raise CarrierError("The answer isn't JSON.", permanent=False) from error


def _home() -> Address:
    """Where parcels start, as far as rates need to know: "ES,M,28013,Madrid"."""
    country, region, postal_code, city = (*settings.SHIPSTATION_ORIGIN, "", "", "", "")[:4]
    return Address(country, region, postal_code, city)


def _refusal(answer: http.Fetched) -> str:
    try:
        return str(json.loads(answer.body)["errors"][0]["message"])[:300]
    except (LookupError, TypeError, ValueError):
        return f"ShipStation answered {answer.status}."


def _place(prefix: str, place: Address) -> dict[str, str]:
    # All are required; what the shopper hasn't said yet is told by what they have.
    said = place.city or place.postal_code or place.region or place.country
    return {
        f"{prefix}_country_code": place.country,
        f"{prefix}_postal_code": place.postal_code or "0",
        f"{prefix}_city_locality": said,
        f"{prefix}_state_province": place.region or said,
    }


def _weight(grams: int) -> dict[str, object]:
    return {"value": max(grams, 1), "unit": "gram"}


def _rate(rate: Mapping[str, Any]) -> CarrierRate | None:
    parts = ("shipping_amount", "insurance_amount", "confirmation_amount", "other_amount")
    currency = rate["shipping_amount"]["currency"].upper()
    try:
        amount = sum(to_minor(_exact(rate[part]["amount"]), currency) for part in parts)
    except (LookupError, MoneyError):
        return None
    service = f"{rate['carrier_id']}:{rate['service_code']}"
    return CarrierRate(service[:60], rate["service_type"], amount, currency)


def _exact(amount: Any) -> Decimal:
    # At most four decimals, of which 9.9500 is as good as 9.95.
    return Decimal(str(amount)).normalize()


def _label_body(request: LabelRequest) -> dict[str, object]:
    carrier_id, _colon, service = request.service.partition(":")
    shipment: dict[str, object] = {
        "carrier_id": carrier_id,
        "service_code": service,
        "external_shipment_id": request.key,
        "shipment_number": request.reference[:50],
        "ship_to": _address(request.destination),
        "ship_from": _address(request.origin),
        "packages": [_package(request)],
    }
    if request.customs:
        shipment["customs"] = {
            "contents": "returned_goods" if request.is_return else "merchandise",
            "non_delivery": "return_to_sender",
            "customs_items": [],
        }
    if request.duties_paid:
        shipment["advanced_options"] = {"delivered_duty_paid": True}
    back = {"is_return_label": True, "rma_number": request.reference} if request.is_return else {}
    return {
        "shipment": shipment,
        **back,
        "label_download_type": "inline",
        "label_format": "pdf",
        "label_layout": "4x6",
        "validate_address": "no_validation",
    }


def _package(request: LabelRequest) -> dict[str, object]:
    package: Package = request.package
    body: dict[str, object] = {"weight": _weight(package.weight)}
    if package.length and package.width and package.height:
        body["dimensions"] = {
            "unit": "centimeter",
            "length": package.length / 10,
            "width": package.width / 10,
            "height": package.height / 10,
        }
    if request.customs:
        body["products"] = [
            {
                "description": item.description,
                "quantity": item.quantity,
                # Of one piece.
                "value": {
                    "amount": float(
                        round(to_decimal(item.value, item.currency) / item.quantity, 2)
                    ),
                    "currency": item.currency.lower(),
                },
                "harmonized_tariff_code": item.hs_code or None,
                "country_of_origin": item.origin or None,
                "sku": item.sku or None,
            }
            for item in request.customs
        ]
    return body


def _address(place: Address) -> dict[str, object]:
    body = {
        "name": place.name or place.company or "-",
        "company_name": place.company,
        "phone": place.phone,
        "email": place.email,
        "address_line1": place.line1 or "-",
        "address_line2": place.line2,
        "city_locality": place.city or "-",
        "state_province": place.region or place.city or "-",
        "postal_code": place.postal_code or "0",
        "country_code": place.country,
    }
    return {name: value for name, value in body.items() if value}


def _label(found: Mapping[str, Any]) -> Label:
    status = found.get("status")
    if status == "error":
        raise CarrierError("ShipStation couldn't make the label.", permanent=True)
    if status != "completed":
        raise CarrierError("The label isn't ready.", permanent=False)
    try:
        cost = found["shipment_cost"]
        currency = cost["currency"].upper()
        kind, _comma, document = found["label_download"]["href"].partition(",")
        return Label(
            provider_id=found["label_id"],
            tracking_number=found["tracking_number"],
            tracking_url=found.get("tracking_url") or "",
            document=base64.b64decode(document, validate=True),
            content_type=kind.removeprefix("data:").partition(";")[0],
            amount=to_minor(_exact(cost["amount"]), currency),
            currency=currency,
            carrier_name=(found.get("carrier_code") or "").replace("_", " ").upper(),
        )
    except (LookupError, TypeError, AttributeError, MoneyError, binascii.Error) as error:
        raise CarrierError(f"Unreadable label: {error}", permanent=False) from error


def _event(event: Mapping[str, Any]) -> TrackingEvent:
    code, detail = event.get("status_code") or "", event.get("status_detail_code") or ""
    place = (event.get("city_locality"), event.get("state_province"), event.get("country_code"))
    return TrackingEvent(
        at=datetime.fromisoformat(event["occurred_at"]),
        status=_DETAILS.get(detail) or _STATES.get(code, "unknown"),
        message=event.get("description") or event.get("status_description") or "",
        location=", ".join(part for part in place if part),
    )
