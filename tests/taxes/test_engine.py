"""A tax engine of a shop: asked over HTTP, as docs/extending/tax-engine.md shows."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction

from apps.core.providers import provider
from apps.core.remote import CalledInTransaction, _local
from apps.orders.models import Order
from apps.taxes.models import TaxSettings
from apps.taxes.selectors import TaxQuestion, decide
from apps.taxes.services import InvalidTaxSettings, ask_engine, external, save_settings
from tests.architecture.house import ROOT
from tests.factories.stores import StoreFactory
from tests.factories.taxes import TaxClassFactory, TaxRateFactory
from tests.flows.conftest import Buyer, build_shop

PAGE = (ROOT / "docs" / "extending" / "tax-engine.md").read_text()
NOW = "2030-06-15 12:00:00Z"
ADDRESS = {"country": "US", "region": "CA", "postal_code": "90210", "city": "Beverly Hills"}
FIRST = {"standard": [{"name": "CA 6 %", "percent": "6"}, {"name": "LA", "percent": "3.5"}]}
CLASSES = ("standard", "reduced")
TABLE = [("Table", Decimal("7.25"))]
ENGINE = [("CA 6 %", Decimal(6)), ("LA", Decimal("3.5"))]


class Rates(BaseHTTPRequestHandler):
    """The service of the page; gives `answer`, after `hold` is set if there is one."""

    answer: tuple[int, object] = (200, {})
    hold: threading.Event | None = None
    asked: list[dict[str, str]] = []

    def do_GET(self) -> None:
        self.asked.append(dict(parse_qsl(urlsplit(self.path).query)))
        if self.hold is not None:
            self.hold.wait(timeout=30)
        status, answer = self.answer
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service(settings, tmp_path, monkeypatch) -> Iterator[type[Rates]]:
    """The page's module and setting, with the service on loopback."""
    Rates.answer, Rates.hold, Rates.asked = (200, FIRST), None, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Rates)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    module, setting = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "shop_taxes.py").write_text(module.replace("https://tax.example.com", address))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("shop_taxes", None)
    provider.cache_clear()
    values: dict[str, dict[str, str]] = {}
    exec(setting, values)  # noqa: S102
    settings.TAX_ENGINES = values["TAX_ENGINES"]
    _local.clear()
    yield Rates
    if Rates.hold is not None:
        Rates.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(db, service):
    """A store in California whose settings name the engine; its table says 7.25 %."""
    store = StoreFactory(country="US", default_currency="USD", prices_include_tax=False)
    TaxRateFactory(country="US", region="CA", level="state", name="Table", percent="7.25")
    save_settings(store=store, changes={"region": "CA", "engine": "example"})
    return store


def _question(store, **address):
    return TaxQuestion(store, {**ADDRESS, **address}, date(2030, 6, 15))


def _decided(store, **address):
    """The rates of standard goods, and whose they are."""
    answer = decide(_question(store, **address))
    step = dict(answer.steps).get("tax_engine", {})
    return [(r.name, r.percent) for r in answer.rates["standard"]], step.get("rates_of")


def test_the_engine_says_the_rates_of_an_address(shop, service):
    assert ask_engine(_question(shop)) is True
    assert _decided(shop) == (ENGINE, "engine")
    assert service.asked == [
        {"country": "US", "state": "CA", "zip": "90210", "date": "2030-06-15"},
    ]


def test_until_it_has_said_them_the_tables_are_due(shop, service):
    assert _decided(shop) == (TABLE, "table")
    assert service.asked == []


def test_answers_count_for_their_place_and_an_hour(shop, service):
    with time_machine.travel(NOW, tick=False) as clock:
        ask_engine(_question(shop))
        assert ask_engine(_question(shop)) is False
        assert _decided(shop, postal_code="90211") == (TABLE, "table")
        assert ask_engine(_question(shop, postal_code="90211")) is True
        clock.shift(3599)
        assert ask_engine(_question(shop)) is False
        clock.shift(1)
        service.answer = 200, {"standard": [{"name": "New", "percent": "9"}]}
        assert ask_engine(_question(shop)) is True
        assert _decided(shop) == ([("New", Decimal(9))], "engine")


def test_the_last_good_answer_counts_while_it_fails(shop, service):
    with time_machine.travel(NOW, tick=False) as clock:
        ask_engine(_question(shop))
        service.answer = 500, {}
        clock.shift(3600)
        assert ask_engine(_question(shop)) is False
        assert _decided(shop) == (ENGINE, "last_good")


@pytest.mark.parametrize(
    "answer",
    [
        (200, []),
        (200, {"reduced": []}),
        (200, {"standard": [{"name": "X", "percent": "101"}]}),
        (200, {"standard": [{"name": "X", "percent": "-1"}]}),
        (200, {"standard": [{"name": "X", "percent": "NaN"}]}),
        (200, {"standard": [{"name": "X", "percent": "1.23456"}]}),
        (200, {"standard": [{"name": "", "percent": "1"}]}),
        (200, {"standard": [{"percent": "1"}]}),
        (503, {}),
    ],
)
def test_what_cannot_be_rates_changes_nothing(shop, service, answer):
    service.answer = answer
    assert ask_engine(_question(shop)) is False
    assert _decided(shop) == (TABLE, "table")


def test_every_class_must_be_answered(shop, service):
    TaxClassFactory(code="books")
    assert ask_engine(_question(shop)) is False
    service.answer = 200, {**FIRST, "books": []}
    assert ask_engine(_question(shop)) is True
    assert decide(_question(shop)).rates["books"] == ()


def test_who_is_late_is_not_waited_for(shop, service, monkeypatch):
    service.hold = threading.Event()
    monkeypatch.setattr(external, "PATIENCE", 0.05)
    assert ask_engine(_question(shop)) is False
    assert _decided(shop) == (TABLE, "table")


def test_an_engine_that_keeps_failing_is_left_alone(shop, service):
    service.answer = 500, {}
    with time_machine.travel(NOW, tick=False):
        for number in range(8):
            ask_engine(_question(shop, postal_code=f"9000{number}"))
    assert len(service.asked) == 5


def test_it_is_asked_only_for_sales_that_are_taxed(shop, service):
    save_settings(store=shop, changes={"nexus": ["CA"]})
    shop.refresh_from_db()
    nevada, spain = {"region": "NV"}, {"country": "ES", "region": ""}
    assert [ask_engine(_question(shop, **place)) for place in (nevada, spain)] == [False, False]
    assert dict(decide(_question(shop, **nevada)).rates) == {}
    assert ask_engine(TaxQuestion(shop, {}, date(2030, 6, 15))) is False
    assert service.asked == []


@pytest.mark.django_db(transaction=True)
def test_it_is_not_asked_inside_a_transaction(service):
    store = StoreFactory(country="US", default_currency="USD")
    save_settings(store=store, changes={"engine": "example"})
    with transaction.atomic(), pytest.raises(CalledInTransaction):
        ask_engine(_question(store))
    assert service.asked == []


def test_one_query_more_where_there_is_an_engine(shop, service, django_assert_num_queries):
    ask_engine(_question(shop))
    stores = type(shop).objects.select_related("tax_settings")
    question = _question(stores.get())
    with django_assert_num_queries(2):
        decide(question)
    TaxSettings.objects.update(engine="")
    question = _question(stores.get())
    with django_assert_num_queries(1):
        decide(question)
    with django_assert_num_queries(0):
        ask_engine(question)


def test_an_engine_that_is_gone_from_the_settings_leaves_the_table(shop, service, settings):
    ask_engine(_question(shop))
    cache.clear()
    settings.TAX_ENGINES = {}
    assert ask_engine(_question(shop)) is False
    assert _decided(shop) == (TABLE, "table")


def test_an_unknown_engine_is_refused(shop):
    with pytest.raises(InvalidTaxSettings) as error:
        save_settings(store=shop, changes={"engine": "other"})
    assert error.value.field == "engine"


@pytest.fixture
def buyer(api, store, service):
    """A shopper of a Spanish shop with the engine, which says 10 % of everything."""
    service.answer = 200, {code: [{"name": "Ten", "percent": "10"}] for code in CLASSES}
    build_shop(store)
    save_settings(store=store, changes={"engine": "example"})
    return Buyer(api)


def test_a_cart_is_taxed_by_the_engine_from_its_address_on(buyer, service):
    cart = buyer.fill(("BOOK", 1))
    # 20.00 and 4.95 hold 10 %: 1.82 and 0.45.
    assert cart["totals"]["tax"] == {"amount": "2.27", "currency": "EUR"}
    assert buyer.checkout().status_code == 201
    order = Order.objects.get()
    [facts] = [step["facts"] for step in order.quote["trace"] if step["step"] == "tax_engine"]
    assert (facts["engine"], facts["rates_of"]) == ("example", "engine")
    assert len(service.asked) == 1


def test_new_rates_at_the_checkout_are_agreed_to_first(buyer, store, service):
    store.prices_include_tax = False
    store.save()
    buyer.fill(("BOOK", 1))
    cache.clear()
    service.answer = 200, {code: [{"name": "Twenty", "percent": "20"}] for code in CLASSES}
    # 24.95 and 10 % was what the shopper saw.
    refused = buyer.checkout(expected_total={"amount": "27.45", "currency": "EUR"})
    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    # 24.95, 4.00 and 0.99.
    told = {"amount": "29.94", "currency": "EUR"}
    assert refused.json()["cart"]["totals"]["total"] == told
    assert buyer.checkout(expected_total=told).status_code == 201


def test_a_cart_is_sold_by_the_table_while_the_engine_is_down(buyer, service):
    service.answer = 500, {}
    # 20.00 hold 4 %, shipping's 4.95 hold 21 %: 0.77 and 0.86.
    assert buyer.fill(("BOOK", 1))["totals"]["tax"]["amount"] == "1.63"
    assert buyer.checkout().status_code == 201
    [order] = Order.objects.all()
    [facts] = [step["facts"] for step in order.quote["trace"] if step["step"] == "tax_engine"]
    assert facts == {"engine": "example", "rates_of": "table"}
