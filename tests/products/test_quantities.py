"""Prices per kilogram or litre, and the quantities that may be ordered."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.products.models import Variant
from apps.products.selectors import UnitPrice, nearest_quantity, quantity_problem, unit_price
from tests.factories.products import VariantFactory

URL = "/api/v1/admin/variants/"


@pytest.mark.parametrize(
    ("amount", "quantity", "unit", "reference", "price"),
    [
        # 4.99 for 750 ml is 6.6533 a litre; 500 g of 2.49 is 4.98 a kilogram.
        (499, 750, "ml", "", UnitPrice(665, "l")),
        (249, 500, "g", "", UnitPrice(498, "kg")),
        (249, 500, "g", "100g", UnitPrice(50, "100g")),
        (125, 1000, "g", "100g", UnitPrice(13, "100g")),
        (499, 30, "ml", "100ml", UnitPrice(1663, "100ml")),
        (9900, 1_000_000, "ml", "m3", UnitPrice(9900, "m3")),
        (1500, 2400, "mm", "", UnitPrice(625, "m")),
        (1999, 2500, "cm2", "", UnitPrice(7996, "m2")),
        (100, 12, "piece", "", UnitPrice(8, "piece")),
        # Minor units of whatever currency: yen here.
        (298, 350, "g", "", UnitPrice(851, "kg")),
        (0, 350, "g", "", UnitPrice(0, "kg")),
        (499, None, "", "", None),
    ],
)
def test_unit_price(amount, quantity, unit, reference, price):
    variant = Variant(unit_quantity=quantity, unit=unit, unit_reference=reference)
    assert unit_price(variant, amount) == price


def test_every_unit_has_the_references_that_the_database_accepts(db):
    references = set(Variant.UnitReference.values)
    assert set(Variant.UNIT_REFERENCES) == set(Variant.Unit.values)
    assert {per for known in Variant.UNIT_REFERENCES.values() for per in known} == references
    for unit, known in Variant.UNIT_REFERENCES.items():
        for per in ["", *references]:
            fits = per == "" or per in known
            try:
                with transaction.atomic():
                    VariantFactory(unit=unit, unit_quantity=1, unit_reference=per)
            except IntegrityError:
                assert not fits, (unit, per)
            else:
                assert fits, (unit, per)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_quantity": 0},
        {"quantity_step": 0},
        {"max_quantity": 0},
        {"min_quantity": 3, "max_quantity": 2},
        {"unit": "g"},
        {"unit_quantity": 5},
        {"unit": "g", "unit_quantity": 0},
        {"unit_reference": "kg"},
        {"unit": "oz", "unit_quantity": 5},
    ],
)
def test_the_database_refuses_impossible_quantities(db, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        VariantFactory(**wrong)


@pytest.mark.parametrize(
    ("quantity", "problem", "nearest"),
    [
        (-5, "below_minimum", 6),
        (0, "below_minimum", 6),
        (5, "below_minimum", 6),
        (6, None, 6),
        (7, "wrong_step", 6),
        (8, "wrong_step", 6),
        (9, "wrong_step", 10),
        (10, None, 10),
        (18, None, 18),
        (19, "wrong_step", 18),
        (20, "wrong_step", 18),
        (21, "above_maximum", 18),
        (1_000_000, "above_maximum", 18),
    ],
)
def test_quantities_of_a_variant(quantity, problem, nearest):
    variant = Variant(min_quantity=6, quantity_step=4, max_quantity=20)
    assert quantity_problem(variant, quantity) == problem
    assert nearest_quantity(variant, quantity) == nearest


def test_without_limits_every_quantity_is_right():
    variant = Variant()
    assert [quantity_problem(variant, n) for n in (0, 1, 2, 10**6)] == [
        "below_minimum",
        None,
        None,
        None,
    ]
    assert nearest_quantity(variant, 10**6) == 10**6


@given(
    st.integers(-100, 1000),
    st.integers(1, 50),
    st.integers(1, 50),
    st.none() | st.integers(0, 200),
)
def test_the_nearest_quantity_is_allowed_and_none_is_nearer(quantity, least, step, room):
    most = None if room is None else least + room
    variant = Variant(min_quantity=least, quantity_step=step, max_quantity=most)
    nearest = nearest_quantity(variant, quantity)
    assert quantity_problem(variant, nearest) is None
    allowed = [n for n in range(least, 1200, step) if most is None or n <= most]
    assert abs(nearest - quantity) == min(abs(n - quantity) for n in allowed)


def test_quantities_and_units_are_set_by_the_api(as_merchant):
    VariantFactory(sku="OIL")
    body = {
        "unit_quantity": 750,
        "unit": "ml",
        "unit_reference": "100ml",
        "min_quantity": 6,
        "max_quantity": 60,
        "quantity_step": 6,
    }
    answer = as_merchant.patch(f"{URL}OIL/", body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    cleared = {"unit_quantity": None, "unit": "", "unit_reference": "", "max_quantity": None}
    answer = as_merchant.patch(f"{URL}OIL/", cleared)
    assert {name: answer.json()[name] for name in cleared} == cleared


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"unit": "g"}, "unit_quantity"),
        ({"unit_quantity": 5}, "unit_quantity"),
        ({"unit_quantity": 0, "unit": "g"}, "unit_quantity"),
        ({"unit": "oz", "unit_quantity": 5}, "unit"),
        ({"unit": "g", "unit_quantity": 5, "unit_reference": "l"}, "unit_reference"),
        ({"unit_reference": "l"}, "unit_reference"),
        ({"min_quantity": 0}, "min_quantity"),
        ({"quantity_step": 0}, "quantity_step"),
        ({"min_quantity": 3, "max_quantity": 2}, "max_quantity"),
    ],
)
def test_impossible_quantities_are_refused(as_merchant, wrong, field):
    before = VariantFactory(sku="OIL")
    answer = as_merchant.patch(f"{URL}OIL/", wrong)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    before.refresh_from_db()
    assert (before.unit, before.unit_quantity, before.min_quantity) == ("", None, 1)


def test_the_page_of_a_variant_refuses_them_too(client, merchant):
    client.force_login(merchant)
    variant = VariantFactory()
    url = reverse("admin:products_variant_change", args=[variant.pk])
    page = client.get(url)
    assert "Contents" in page.content.decode() or "contents" in page.content.decode()
    form = {
        name: "" if value is None or value is False else value
        for name, value in page.context["adminform"].form.initial.items()
    }
    form |= {"option_values": [], "metadata": "{}", "unit": "g"}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    refused = client.post(url, form)
    assert refused.status_code == 200
    assert "Contents have a quantity" in refused.content.decode()
    assert client.post(url, form | {"unit_quantity": "250"}).status_code == 302
    variant.refresh_from_db()
    assert unit_price(variant, 500) == UnitPrice(2000, "kg")
