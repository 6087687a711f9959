"""Codes as files."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.promotions.models import Coupon
from apps.promotions.services import make_batch
from tests.factories.accounts import StaffFactory
from tests.factories.promotions import CouponFactory, PromotionFactory

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def promotion(db):
    return PromotionFactory(code="summer", needs_code=True)


def _rows(answer):
    return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))


def _file(promotion):
    return reverse("admin:promotions_promotion_codes", args=[promotion.pk])


def test_the_codes_of_a_promotion_are_exported_by_batch(client, merchant, promotion):
    client.force_login(merchant)
    CouponFactory(promotion=promotion, code="SHARED")
    CouponFactory(code="OTHERS")
    list(make_batch(promotion=promotion, batch="flyer", count=3))
    everything = _rows(client.get(_file(promotion)))
    assert everything[0] == ["code", "batch", "is_active", "usage_limit", "used"]
    assert everything[1] == ["SHARED", "", "True", "", "0"]
    assert len(everything) == 5
    answer = client.get(_file(promotion), {"batch": "flyer"})
    assert answer["Content-Disposition"] == 'attachment; filename="codes-summer.csv"'
    assert [row[1:] for row in _rows(answer)[1:]] == [["flyer", "True", "1", "0"]] * 3


def test_a_cell_is_no_formula(client, merchant, promotion):
    client.force_login(merchant)
    CouponFactory(promotion=promotion, code="PLAIN", batch='=HYPERLINK("http://x","y")')
    assert _rows(client.get(_file(promotion)))[1][1] == '\'=HYPERLINK("http://x","y")'


def test_the_file_needs_the_permission_to_see_codes(client, promotion):
    client.force_login(StaffFactory(permissions=["promotions.view_promotion"]))
    assert client.get(_file(promotion)).status_code == 403


def test_an_export_costs_the_same_for_more_codes(
    client, merchant, promotion, django_assert_num_queries
):
    client.force_login(merchant)
    client.get(_file(promotion))
    for count in (5, 1500):
        list(make_batch(promotion=promotion, batch="b", count=count))
        with django_assert_num_queries(6):
            assert len(_rows(client.get(_file(promotion)))) == count + 1


def test_the_command_makes_a_batch_and_its_file(promotion, tmp_path):
    out, file = StringIO(), tmp_path / "codes.csv"
    options = {"count": 1200, "batch": "=flyer", "prefix": "fly-", "csv": file, "stdout": out}
    call_command("make_coupons", "summer", **options)
    assert out.getvalue().splitlines() == ["1200 made, 1200 in the batch", str(file)]
    rows = list(csv.reader(file.open()))
    assert rows[0] == ["code", "batch"]
    assert {row[0] for row in rows[1:]} == set(Coupon.objects.values_list("code", flat=True))
    assert {row[1] for row in rows[1:]} == {"'=flyer"}
    assert {row[0][:4] for row in rows[1:]} == {"FLY-"}
    call_command("make_coupons", "summer", **{**options, "csv": None})
    assert out.getvalue().splitlines()[-1] == "0 made, 1200 in the batch"


def test_the_command_goes_on_where_it_was_interrupted(promotion):
    next(make_batch(promotion=promotion, batch="flyer", count=2000))
    out = StringIO()
    call_command("make_coupons", "summer", count=2000, batch="flyer", stdout=out)
    assert out.getvalue() == "1000 made, 2000 in the batch\n"


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("none", {}, "There is no promotion 'none'."),
        ("summer", {"count": 0}, "1 to 100,000 codes, and a name for the batch."),
        ("summer", {"count": 100_001}, "1 to 100,000 codes, and a name for the batch."),
        ("summer", {"prefix": "é"}, "Letters, digits and hyphens, at most 40."),
    ],
)
def test_the_command_says_what_is_wrong(promotion, code, options, message):
    with pytest.raises(CommandError, match=message.split("(")[0].rstrip(".")):
        call_command("make_coupons", code, **{"count": 5, "batch": "b", **options})
    assert not Coupon.objects.exists()
