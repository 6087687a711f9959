"""VAT numbers, asked for at VIES."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

import pytest
import time_machine
from django.utils import timezone

from apps.taxes.models import VATCheck
from apps.taxes.services import InvalidVATNumber, check_vat_number
from apps.taxes.services import vat as service
from apps.taxes.tasks import check_vat_number as task
from tests.factories.taxes import TaxSettingsFactory, VATCheckFactory
from tests.taxes.vies import BOMB, TYPES, Vies, fault

WSDL = Path(__file__).resolve().parents[3] / "shared/specs/vies/checkVatService.wsdl"
NUMBER = "DE136695976"
URL = "/api/v1/vat-numbers/check/"
FAULTS = (
    "MS_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "TIMEOUT",
    "SERVER_BUSY",
    "GLOBAL_MAX_CONCURRENT_REQ",
    "MS_MAX_CONCURRENT_REQ",
    "VAT_BLOCKED",
    "IP_BLOCKED",
    "INVALID_REQUESTER_INFO",
)


@pytest.fixture
def vies(settings) -> Iterator[type[Vies]]:
    handler = type("Simulator", (Vies,), {"known": {NUMBER: "ACME GmbH"}, "bodies": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.VIES_URL = f"http://127.0.0.1:{server.server_port}/checkVatService"
    yield handler
    server.shutdown()
    server.server_close()


def test_a_valid_number_is_kept_with_its_name(db, vies):
    check = check_vat_number(number="de 136.695.976")
    kept = VATCheck.objects.get()
    assert check == kept
    assert (kept.country, kept.number, kept.verdict) == ("DE", "136695976", "valid")
    assert (kept.name, kept.address, kept.fault) == ("ACME GmbH", "Street 1\nTown", "")
    assert (kept.requester, kept.consultation) == ("", "")
    assert "<t:valid>true</t:valid>" in kept.answer


def test_the_stores_own_number_brings_a_consultation_number(db, vies):
    known = TaxSettingsFactory(vat_number="ESB12345674")
    check = check_vat_number(number=NUMBER, store=known.store)
    assert (check.verdict, check.name) == ("valid", "ACME GmbH")
    assert (check.requester, check.consultation) == ("ESB12345674", "WAPIAAAA1")


def test_an_unknown_number_is_invalid_and_tells_no_name(db, vies):
    vies.known = {}
    check = check_vat_number(number=NUMBER)
    assert (check.verdict, check.name, check.address) == ("invalid", "", "")


def test_a_wrong_checksum_asks_nobody(db, vies):
    check = check_vat_number(number="DE136695970")
    assert (check.verdict, check.fault, vies.bodies) == ("invalid", "CHECKSUM", [])


@pytest.mark.parametrize("number", ["", "B12345674", "US123456789", "DE<a>"])
def test_what_cannot_be_a_number_is_refused(db, vies, number):
    with pytest.raises(InvalidVATNumber):
        check_vat_number(number=number)
    task(number)
    assert (VATCheck.objects.count(), vies.bodies) == (0, [])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_leaves_it_unknown(db, vies, name):
    vies.answer = fault(name)
    check = check_vat_number(number=NUMBER)
    assert (check.verdict, check.fault) == ("unknown", name)


def test_input_that_vies_refuses_is_invalid(db, vies):
    vies.answer = fault("INVALID_INPUT")
    assert check_vat_number(number=NUMBER).verdict == "invalid"


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"<a/>"),
        (200, BOMB),
        (200, b"x" * (service.MAX_ANSWER + 1)),
        (302, b""),
        (503, b"busy"),
        (200, f'<t:valid xmlns:t="{TYPES}">yes</t:valid>'.encode()),
        (200, f'<t:valid xmlns:t="{TYPES}">true</t:valid>'.encode()),
    ],
    ids=["empty", "html", "other", "bomb", "large", "moved", "busy", "yes", "bare"],
)
def test_what_is_no_answer_leaves_it_unknown(db, vies, answer):
    vies.answer = answer
    check = check_vat_number(number=NUMBER)
    assert check.verdict == "unknown"
    assert check.fault


def test_an_answer_about_another_number_leaves_it_unknown(db, vies):
    vies.another = "FR"
    assert check_vat_number(number=NUMBER).verdict == "unknown"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/"])
def test_without_vies_it_stays_unknown(db, settings, url):
    settings.VIES_URL = url
    check = check_vat_number(number=NUMBER)
    assert check.verdict == "unknown"
    assert check.fault


def test_a_valid_number_is_not_asked_again_for_30_days(db, vies):
    now = timezone.now()
    first = check_vat_number(number=NUMBER)
    with time_machine.travel(now + timedelta(days=29), tick=False):
        assert check_vat_number(number=NUMBER) == first
    with time_machine.travel(now + timedelta(days=31), tick=False):
        assert check_vat_number(number=NUMBER) != first
    assert len(vies.bodies) == 2


def test_an_invalid_number_is_asked_again(db, vies):
    VATCheckFactory(verdict="invalid")
    assert check_vat_number(number=NUMBER).verdict == "valid"


def test_the_task_checks_with_the_store(db, vies):
    known = TaxSettingsFactory(vat_number="ESB12345674")
    task(NUMBER, known.store_id)
    assert VATCheck.objects.get().consultation == "WAPIAAAA1"


def test_shoppers_learn_the_verdict_and_the_name(api, store, vies):
    answer = api.post(URL, {"number": NUMBER})
    assert (answer.status_code, answer.json()) == (
        200,
        {"country": "DE", "number": "136695976", "verdict": "valid", "name": "ACME GmbH"},
    )
    refused = api.post(URL, {"number": "nonsense"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_vat_number")


def test_shoppers_ask_so_often_and_no_more(api, store, vies):
    with time_machine.travel(timezone.now(), tick=False):
        found = [api.post(URL, {"number": NUMBER}).status_code for _n in range(11)]
    assert found == [200] * service.OF_ONE.number + [429]


def test_requests_are_as_the_wsdl_has_them(db, vies):
    if not WSDL.exists():
        pytest.skip("The WSDL of VIES isn't here.")
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    elements = {
        element.get("name"): [
            (field.get("name"), field.get("minOccurs") != "0")
            for field in element.iter(f"{xsd}element")
            if field is not element
        ]
        for element in ElementTree.parse(WSDL).iterfind(f".//{xsd}schema/{xsd}element")  # noqa: S314
    }
    check_vat_number(number=NUMBER)
    VATCheck.objects.all()._raw_delete(VATCheck.objects.db)
    check_vat_number(number=NUMBER, store=TaxSettingsFactory(vat_number="ESB12345674").store)
    operations = []
    for body in vies.bodies:
        asked = ElementTree.fromstring(body)[0][0]  # noqa: S314
        operations.append(asked.tag)
        sent = [child.tag.removeprefix(f"{{{TYPES}}}") for child in asked]
        known = elements[asked.tag.removeprefix(f"{{{TYPES}}}")]
        order = [name for name, _required in known]
        # A sequence: in this order, with all that is required.
        assert sent == sorted(sent, key=order.index)
        assert {name for name, required in known if required} <= set(sent)
    assert operations == [f"{{{TYPES}}}checkVat", f"{{{TYPES}}}checkVatApprox"]
