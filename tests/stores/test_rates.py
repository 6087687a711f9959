"""What one currency is worth in another, and where the rates come from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.stores.models import ExchangeRate
from apps.stores.selectors import NoRate, Rate, expected_day, rate, rates_age
from apps.stores.services import InvalidRates, fetch_due_rates, import_rates
from apps.stores.tasks import fetch_rates
from tests.factories.stores import ExchangeRateFactory

BANK = Path(__file__).resolve().parents[3] / "shared" / "data" / "tax_geo"
needs_bank = pytest.mark.skipif(not BANK.is_dir(), reason="The bank's sample files aren't here.")
DAY = date(2030, 6, 3)
# A Monday, as it is published; the older days' files quote with the other sign.
DAILY = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
  xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube><Cube time='2030-06-03'>
    <Cube currency='USD' rate='1.25'/><Cube currency='JPY' rate='160'/>
    <Cube currency='HRK' rate='7.5345'/>
  </Cube></Cube>
</gesmes:Envelope>"""
TWO_DAYS = DAILY.replace("'", '"').replace(
    "</Cube></Cube>",
    '</Cube><Cube time="2030-05-31"><Cube currency="USD" rate="1.2"/>'
    '<Cube currency="HRK" rate="7.5"/></Cube></Cube>',
)


def known():
    rows = ExchangeRate.objects.order_by("-date", "currency")
    return [(r.base, r.currency, r.rate, r.date.isoformat()) for r in rows]


def counts(done):
    return done.created, done.updated, done.unchanged, dict(done.skipped)


def test_the_day_is_imported_once(db):
    assert counts(import_rates(body=DAILY.encode())) == (2, 0, 0, {"HRK": 1})
    expected = [
        ("EUR", "JPY", Decimal(160), "2030-06-03"),
        ("EUR", "USD", Decimal("1.25"), "2030-06-03"),
    ]
    assert known() == expected
    assert counts(import_rates(body=DAILY.encode())) == (0, 0, 2, {"HRK": 1})
    assert known() == expected


def test_days_quoted_with_the_other_sign_are_added_and_corrections_kept(db):
    import_rates(body=DAILY.replace("1.25", "1.26").encode())
    assert counts(import_rates(body=TWO_DAYS.encode())) == (1, 1, 1, {"HRK": 2})
    assert known() == [
        ("EUR", "JPY", Decimal(160), "2030-06-03"),
        ("EUR", "USD", Decimal("1.25"), "2030-06-03"),
        ("EUR", "USD", Decimal("1.2"), "2030-05-31"),
    ]


def test_a_dry_run_counts_alone(db):
    done = import_rates(body=TWO_DAYS.encode(), dry_run=True)
    assert counts(done) == (3, 0, 0, {"HRK": 2})
    assert (done.first, done.last) == (date(2030, 5, 31), DAY)
    assert known() == []


def test_only_a_change_is_told(db):
    def told():
        return OutboxMessage.objects.filter(name="exchange_rates.changed").values_list(
            "payload", flat=True
        )

    import_rates(body=DAILY.encode(), dry_run=True)
    assert list(told()) == []
    import_rates(body=DAILY.encode())
    import_rates(body=DAILY.encode())
    assert list(told()) == [{"date": "2030-06-03"}]


ENTITIES = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Cube xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">&b;</Cube>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY passwd SYSTEM "file:///etc/passwd">]>
<Cube xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref" time="2030-06-03">
<Cube currency="USD" rate="1"/>&passwd;</Cube>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"\xff\xfe\x00",
        DAILY[:300].encode(),
        b"<rates/>",
        # The same shape in nobody's vocabulary.
        DAILY.replace("2002-08-01/eurofxref", "2002-08-01/other").encode(),
        ENTITIES.encode(),
        OUTSIDE.encode(),
        OUTSIDE.encode("utf-16"),
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + DAILY[39:].encode(),
        b'<?xml version="1.0" encoding="nonsense"?>' + DAILY[39:].encode(),
        *(
            DAILY.replace("1.25", wrong).encode()
            for wrong in ("0", "-1", "NaN", "1e5", "1,25", "", "1.123456789", "12345678901")
        ),
        DAILY.replace("2030-06-03", "yesterday").encode(),
        DAILY.replace("time=", "when=").encode(),
        DAILY.replace("USD", "<x>").encode(),
        DAILY.replace("USD", "usd").encode(),
    ],
)
def test_what_is_not_a_file_of_rates_is_refused(db, body):
    with pytest.raises(InvalidRates):
        import_rates(body=body)
    assert known() == []


def test_the_command_tells_what_became_of_the_file(db, tmp_path, capsys):
    file = tmp_path / "rates.xml"
    file.write_text(TWO_DAYS)
    first = "2030-05-31 – 2030-06-03: 3 created, 0 updated, 0 unchanged, 2 skipped (HRK 2)"
    call_command("import_rates", str(file), "--dry-run")
    call_command("import_rates", str(file))
    call_command("import_rates", str(file))
    assert capsys.readouterr().out.splitlines() == [
        f"{first} (dry run: nothing written)",
        first,
        "2030-05-31 – 2030-06-03: 0 created, 0 updated, 3 unchanged, 2 skipped (HRK 2)",
    ]
    file.write_text("<html/>")
    with pytest.raises(CommandError):
        call_command("import_rates", str(file))
    with pytest.raises(CommandError):
        call_command("import_rates", str(tmp_path / "none.xml"))


@needs_bank
@pytest.mark.parametrize("name", ["ecb_eurofxref-daily.xml", "ecb_eurofxref-hist-90d.xml"])
def test_the_banks_own_files_are_read(db, name):
    body = (BANK / name).read_bytes()
    text = body.decode().replace("'", '"')
    done = import_rates(body=body)
    assert done.created + done.skipped.total() == text.count("<Cube currency=")
    assert done.created == ExchangeRate.objects.count()
    assert (done.updated, done.unchanged) == (0, 0)
    again = import_rates(body=body)
    assert counts(again) == (0, 0, done.created, dict(done.skipped))


# The tables.


def test_a_quoted_pair_comes_before_its_inverse_and_the_cross(db, django_assert_num_queries):
    ExchangeRateFactory(currency="USD", rate=Decimal("1.25"), date=DAY)
    ExchangeRateFactory(currency="JPY", rate=Decimal(160), date=DAY - timedelta(days=1))
    with django_assert_num_queries(1):
        assert rate("EUR", "USD", DAY) == Rate(Decimal("1.25"), DAY)
    assert rate("USD", "EUR", DAY) == Rate(Decimal("0.8"), DAY)
    # As old as the older of the two.
    with django_assert_num_queries(1):
        assert rate("USD", "JPY", DAY) == Rate(Decimal(128), DAY - timedelta(days=1))
    assert rate("JPY", "USD", DAY) == Rate(Decimal("0.0078125"), DAY - timedelta(days=1))
    ExchangeRateFactory(base="USD", currency="JPY", rate=Decimal(130), date=DAY)
    assert rate("USD", "JPY", DAY) == Rate(Decimal(130), DAY)
    assert rate("JPY", "USD", DAY) == Rate(Decimal("0.00769230769231"), DAY)


@pytest.mark.parametrize(
    ("currency", "quoted", "inverse"),
    [
        ("JPY", "160.5", "0.00623052959502"),
        ("KRW", "1500.25", "0.000666555574071"),
        ("HUF", "390", "0.00256410256410"),
        ("KWD", "0.35", "2.85714285714"),
    ],
)
def test_an_inverse_has_twelve_digits(db, currency, quoted, inverse):
    ExchangeRateFactory(currency=currency, rate=Decimal(quoted), date=DAY)
    assert rate("EUR", currency, DAY).value == Decimal(quoted)
    assert rate(currency, "EUR", DAY).value == Decimal(inverse)


def test_the_latest_rate_on_or_before_the_day_counts(db):
    for day, value in ((1, "1.1"), (4, "1.2"), (9, "1.3")):
        ExchangeRateFactory(rate=Decimal(value), date=date(2030, 6, day))
    with pytest.raises(NoRate):
        rate("EUR", "USD", date(2030, 5, 31))
    found = [rate("EUR", "USD", date(2030, 6, day)).value for day in (1, 3, 4, 8, 9, 30)]
    assert found == [Decimal(v) for v in ("1.1", "1.1", "1.2", "1.2", "1.3", "1.3")]


def test_without_rates_there_is_none(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert rate("JPY", "JPY", DAY) == Rate(Decimal(1), DAY)
    ExchangeRateFactory(currency="USD", date=DAY)
    for pair in (("EUR", "GBP"), ("GBP", "USD"), ("USD", "GBP")):
        with pytest.raises(NoRate) as refused:
            rate(*pair, DAY)
        assert refused.value.code == "no_exchange_rate"


# The bank's file, fetched from a server of our own.


class _Bank(BaseHTTPRequestHandler):
    answer, asked = (200, DAILY.encode()), 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def bank(settings) -> Iterator[type[_Bank]]:
    handler = type("Bank", (_Bank,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.EXCHANGE_RATES_URL = f"http://127.0.0.1:{server.server_port}/eurofxref-daily.xml"
    yield handler
    server.shutdown()
    server.server_close()


def test_the_task_keeps_the_days_rates_and_asks_once(db, bank):
    with time_machine.travel(datetime(2030, 6, 3, 14, 14, tzinfo=UTC), tick=False):
        ExchangeRateFactory(date=date(2030, 5, 31))
        # 16:14 in Frankfurt in summer.
        assert (fetch_rates(), bank.asked) == (0, 0)
    with time_machine.travel(datetime(2030, 6, 3, 14, 15, tzinfo=UTC), tick=False):
        assert (fetch_rates(), bank.asked) == (2, 1)
        assert (fetch_rates(), bank.asked) == (0, 1)
    assert rate("EUR", "JPY", DAY).value == Decimal(160)


@pytest.mark.parametrize(
    "answer", [(503, b""), (302, b""), (200, b"<html>"), (200, ENTITIES.encode()), (200, b"")]
)
def test_without_a_good_answer_the_last_rates_stay(db, bank, answer):
    ExchangeRateFactory(rate=Decimal("1.2"), date=date(2030, 5, 31))
    bank.answer = answer
    with time_machine.travel(datetime(2030, 6, 3, 15, tzinfo=UTC), tick=False):
        assert (fetch_rates(), bank.asked) == (0, 1)
        assert rate("EUR", "USD", DAY).value == Decimal("1.2")
        bank.answer = (200, DAILY.encode())
        assert (fetch_rates(), bank.asked) == (2, 2)


def test_nothing_is_fetched_without_an_address(db, settings):
    settings.EXCHANGE_RATES_URL = ""
    assert fetch_due_rates(now=datetime(2030, 6, 3, 15, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("now", "day"),
    [
        # A Monday in summer and one in winter, before and after.
        (datetime(2030, 6, 3, 14, 14, tzinfo=UTC), date(2030, 5, 31)),
        (datetime(2030, 6, 3, 14, 15, tzinfo=UTC), date(2030, 6, 3)),
        (datetime(2030, 12, 2, 15, 14, tzinfo=UTC), date(2030, 11, 29)),
        (datetime(2030, 12, 2, 15, 15, tzinfo=UTC), date(2030, 12, 2)),
        # Over the weekend it is Friday's.
        (datetime(2030, 6, 8, 12, tzinfo=UTC), date(2030, 6, 7)),
        (datetime(2030, 6, 8, 20, tzinfo=UTC), date(2030, 6, 7)),
        (datetime(2030, 6, 9, 23, tzinfo=UTC), date(2030, 6, 7)),
    ],
)
def test_the_day_that_should_be_out(now, day):
    assert expected_day(now) == day


# The back office and the API.


@pytest.fixture
def office(client, merchant):
    client.force_login(merchant)
    return client


@pytest.mark.parametrize(("age", "warned"), [(5, False), (6, True)])
def test_old_rates_are_a_figure_and_a_warning(office, age, warned):
    assert rates_age() == 0
    ExchangeRateFactory(date=timezone.now().date() - timedelta(days=age))
    assert rates_age() == age
    page = office.get(reverse("admin:stores_exchangerate_changelist")).content.decode()
    assert (f"{age} days old" in page) is warned


def test_a_rate_entered_by_hand_is_told(office):
    url = reverse("admin:stores_exchangerate_add")
    form = {"base": "USD", "currency": "CAD", "rate": "1.4", "date": "2030-06-03"}
    assert office.post(url, form).status_code == 302
    made = ExchangeRate.objects.get()
    assert rate("USD", "CAD", DAY) == Rate(Decimal("1.4"), DAY)
    change = reverse("admin:stores_exchangerate_change", args=[made.pk])
    assert office.post(change, form | {"rate": "1.5"}).status_code == 302
    assert rate("USD", "CAD", DAY) == Rate(Decimal("1.5"), DAY)
    delete = reverse("admin:stores_exchangerate_delete", args=[made.pk])
    assert office.post(delete, {"post": "yes"}).status_code == 302
    assert known() == []
    assert OutboxMessage.objects.filter(name="exchange_rates.changed").count() == 3


def test_rates_are_listed_for_staff(as_merchant, as_shopper, django_assert_num_queries):
    url = "/api/v1/admin/exchange-rates/"
    for day in (1, 2, 3):
        ExchangeRateFactory(date=date(2030, 6, day))
    ExchangeRateFactory(currency="JPY", rate=Decimal(160), date=DAY)
    with django_assert_num_queries(4):
        results = as_merchant.get(url).json()["results"]
    assert [row["date"] for row in results] == ["2030-06-03"] * 2 + ["2030-06-02", "2030-06-01"]
    assert as_merchant.get(f"{url}?currency=JPY").json()["results"] == [
        {"base": "EUR", "currency": "JPY", "rate": "160.00000000", "date": "2030-06-03"}
    ]
    found = as_merchant.get(f"{url}?date_from=2030-06-02&date_to=2030-06-02").json()["results"]
    assert [row["date"] for row in found] == ["2030-06-02"]
    assert as_shopper.get(url).status_code == 403
