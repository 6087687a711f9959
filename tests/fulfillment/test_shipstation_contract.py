"""Every request to ShipStation, and every answer of the simulator, is as the OpenAPI document
of ShipEngine says: https://github.com/ShipEngine/shipengine-openapi.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from apps.fulfillment import services
from apps.shipping.carriers.base import (
    Address,
    CarrierError,
    CustomsItem,
    LabelRequest,
    Package,
    RateRequest,
)
from apps.shipping.carriers.shipstation.carrier import ShipStationCarrier
from tests.fulfillment.conftest import PRIORITY

SPEC = Path(__file__).resolve().parents[3] / "shared/specs/shipengine/openapi.yaml"
V1 = SPEC.parents[1] / "third_party_reconstructed/shipstation-v1.yml"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="The provider's document isn't here.")

HERE = "urn:document"
MADRID = Address(
    "ES", "M", "28013", "Madrid", "Calle Mayor 1", "", "Ana García", "", "+34600000000"
)
AUSTIN = Address("US", "TX", "78756", "Austin", "Main St 1", "Unit 2", "Ann", "ACME", "+1512555")
ITEM = CustomsItem("Mug", 3, 1000, "EUR", 900, "691110", "ES", "MUG")
NOW = datetime(2027, 6, 7, 10, tzinfo=UTC)


def _usable(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: null where it may be, and closed objects opened, because
    "no further properties" contradicts "all of" in this document."""
    if isinstance(node, list):
        return [_usable(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _usable(value) for key, value in node.items()}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = HERE + found["$ref"]
    if found.get("additionalProperties") is False:
        del found["additionalProperties"]
    if "oneOf" in found and isinstance(found["oneOf"], list):
        found["anyOf"] = found.pop("oneOf")
    if found.pop("nullable", None) is True:
        return {"anyOf": [{"type": "null"}, found]}
    return found


@cache
def _document(file: Path = SPEC) -> dict[str, Any]:
    # The loader in C: the document has half a megabyte.
    return _usable(yaml.load(file.read_text(), Loader=yaml.CSafeLoader))


def _operation(method: str, path: str) -> dict[str, Any]:
    for template, operations in _document()["paths"].items():
        # `/v1/labels/{label_id}`, but not `/v1/labels/rates/…`: the literal ones come first.
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            return operations[method.lower()]
    raise AssertionError(f"{method} {path} isn't in the document.")


def _errors(schema: Any, value: Any, file: Path = SPEC) -> list[str]:
    registry = Registry().with_resource(HERE, DRAFT4.create_resource(_document(file)))
    found = Draft4Validator(schema, registry=registry).iter_errors(value)
    return [f"{list(error.absolute_path)}: {error.message}" for error in found]


def _known(schema: Any) -> set[str]:
    """The names of all properties of an object, whose closing was opened above."""
    if "$ref" in schema:
        return _known(_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [*schema.get("allOf", ()), *schema.get("anyOf", ())]
    return set(schema.get("properties", ())).union(*(_known(part) for part in parts))


def _resolved(node: Any) -> Any:
    while "$ref" in node:
        found = _document()
        for step in node["$ref"].removeprefix(f"{HERE}#/").split("/"):
            found = found[step]
        node = found
    return node


def _check(exchange: Any) -> list[str]:
    operation = _operation(exchange.method, exchange.path)
    names = {_resolved(p)["name"] for p in operation.get("parameters", ())}
    problems = [f"unknown parameter {name}" for name in exchange.query if name not in names]
    if exchange.request is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        problems += _errors(schema, exchange.request)
        problems += [f"unknown {name}" for name in set(exchange.request) - _known(schema)]
    answer = _resolved(operation["responses"][str(exchange.status)])
    schema = answer["content"]["application/json"]["schema"]
    problems += _errors(schema, exchange.response)
    if isinstance(exchange.response, dict):
        problems += [f"unknown {name}" for name in set(exchange.response) - _known(schema)]
    return problems


def _label(key: str, **changes: Any) -> LabelRequest:
    asked = {
        "service": PRIORITY,
        "origin": MADRID,
        "destination": AUSTIN,
        "package": Package(900, length=200, width=150, height=100),
    }
    return LabelRequest(key=key, reference="WEB-1", **{**asked, **changes})


def test_both_sides_speak_as_the_document_says(shipstation):
    carrier = ShipStationCarrier()
    rates = carrier.rates(RateRequest("USD", Address("ES"), AUSTIN, (Package(900),)))
    carrier.rates(RateRequest("USD", Address("PT"), Address("ES", "", "28013"), (Package(900),)))
    bought = carrier.label(_label("one", customs=(ITEM,), duties_paid=True))
    again = carrier.label(_label("one", customs=(ITEM,), duties_paid=True))
    carrier.label(_label("two", destination=MADRID, package=Package(50)))
    back = {"origin": AUSTIN, "destination": MADRID, "is_return": True}
    carrier.label(_label("back", customs=(ITEM,), **back))
    for code, detail in (("IT", "HUB_SCAN_IN"), ("DE", "DELIVERED")):
        shipstation.scan(bought.tracking_number, code, detail, NOW)
    events = carrier.track(bought.tracking_number, provider_id=bought.provider_id)
    with pytest.raises(CarrierError):
        carrier.void(bought.provider_id)
    carrier.void("se-2")
    carrier.void("se-2")
    with pytest.raises(CarrierError):
        carrier.label(_label("three", service="se-1:pigeon"))

    assert [(rate.service, rate.amount, rate.currency) for rate in rates] == [
        ("se-1:usps_priority_mail", 660, "USD"),
        ("se-1:ups_ground", 878, "USD"),
    ]
    assert bought == again
    assert (bought.amount, bought.currency, bought.document[:5]) == (660, "USD", b"%PDF-")
    assert [(event.status, event.at) for event in events] == [
        ("in_transit", NOW),
        ("delivered", NOW),
    ]
    problems = {f"{e.method} {e.path} {e.status}": _check(e) for e in shipstation.exchanges}
    assert {name: found for name, found in problems.items() if found} == {}
    assert len(problems) >= 8


def test_a_wrong_request_is_noticed():
    """The control: what isn't in the document fails."""
    schema = _operation("POST", "/v1/labels")["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert _errors(schema, {"shipment": {"carrier_id": "1"}})
    assert "colour" not in _known(schema)


@pytest.mark.django_db
@pytest.mark.usefixtures("invariants")
def test_open_orders_are_exported_and_sent_again_change(buy, shipstation):
    order = buy(("MUG", 2), ("BOOK", 1))
    call_command("export_to_shipstation")
    services.fulfill(order=order, quantities={str(order.lines.get(sku="BOOK").public_id): 1})
    call_command("export_to_shipstation")
    first, second = shipstation.exchanges
    schema = {"$ref": f"{HERE}#/components/schemas/OrderCreateRequest"}
    # Its own spelling of "may be null" is OpenAPI 3.1's.
    assert [_errors(schema, one, V1) for one in first.request + second.request] == [[], []]
    [sent] = shipstation.orders.values()
    assert sent["orderKey"] == str(order.public_id)
    assert [(item["sku"], item["quantity"], item["unitPrice"]) for item in sent["items"]] == [
        ("MUG", 2, 12.0)
    ]
    shipstation.fault("/orders/", status=429)
    with pytest.raises(CommandError):
        call_command("export_to_shipstation")
