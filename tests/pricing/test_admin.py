"""The back office's pages of prices: nothing is saved without its history."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.pricing.models import CurrencyRule, Price, PriceList, PricePoint
from apps.pricing.services import PriceData, set_prices
from tests.factories.accounts import StaffFactory
from tests.factories.customers import CustomerGroupFactory
from tests.factories.pricing import CurrencyRuleFactory, PriceFactory, PriceListFactory
from tests.factories.products import ProductFactory, VariantFactory


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


@pytest.fixture
def variant(db):
    return VariantFactory(product=ProductFactory(variants=0), sku="SHIRT-S")


def _history():
    return list(PricePoint.objects.order_by("pk").values_list("amount", "min_quantity"))


def _row(**values):
    empty = dict.fromkeys(
        ("compare_at", "store", "price_list", "valid_from_0", "valid_from_1", "valid_to_0"), ""
    )
    base = {"amount": "10.00", "currency": "EUR", "min_quantity": "1", "valid_to_1": ""}
    return {**empty, **base, **values}


@pytest.mark.parametrize("name", ["price", "pricelist", "pricepoint", "currencyrule"])
def test_lists_open_and_cost_the_same(as_owner, store, name, django_assert_max_num_queries):
    for _ in range(6):
        PriceFactory(store=store, price_list=PriceListFactory())
        CurrencyRuleFactory()
    with django_assert_max_num_queries(14):
        page = as_owner.get(reverse(f"admin:pricing_{name}_changelist"))
    assert page.status_code == 200


def test_a_price_is_added_changed_and_deleted(as_owner, variant):
    add = reverse("admin:pricing_price_add")
    assert as_owner.get(add).status_code == 200
    assert as_owner.post(add, _row(variant=variant.pk)).status_code == 302
    price = Price.objects.get()
    assert (price.amount, price.scope) == (1000, price.scope_text())
    change = reverse("admin:pricing_price_change", args=[price.pk])
    assert as_owner.get(change).context["adminform"].form.initial["amount"] == 10
    assert as_owner.post(change, _row(amount="9.50", compare_at="10")).status_code == 302
    assert as_owner.post(change, _row(amount="9.50", min_quantity="3")).status_code == 302
    delete = reverse("admin:pricing_price_delete", args=[price.pk])
    assert as_owner.post(delete, {"post": "yes"}).status_code == 302
    assert _history() == [(1000, 1), (950, 1), (None, 1), (950, 3), (None, 3)]
    trail = AuditEntry.objects.filter(object_type="pricing.price").order_by("pk")
    assert [entry.action for entry in trail] == ["add", "change", "change", "delete"]


def test_prices_are_deleted_in_bulk_with_their_history(as_owner):
    prices = [PriceFactory() for _ in range(2)]
    form = {
        "action": "delete_selected",
        "_selected_action": [price.pk for price in prices],
        "post": "yes",
    }
    assert as_owner.post(reverse("admin:pricing_price_changelist"), form).status_code == 302
    assert not Price.objects.exists()
    assert sorted(_history(), key=str) == [(1000, 1), (1000, 1), (None, 1), (None, 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "-1"},
        {"amount": "1.001"},
        {"amount": "99999999999999"},
        {"currency": "XXX"},
        {"min_quantity": "0"},
        {
            "valid_from_0": "2030-01-02",
            "valid_from_1": "00:00",
            "valid_to_0": "2030-01-01",
            "valid_to_1": "00:00",
        },
    ],
)
def test_an_impossible_price_is_refused_on_the_form(as_owner, variant, wrong):
    page = as_owner.post(reverse("admin:pricing_price_add"), _row(variant=variant.pk, **wrong))
    assert page.status_code == 200
    assert page.context["errors"]
    assert not Price.objects.exists()


def test_the_same_price_twice_is_refused_on_the_form(as_owner, variant):
    PriceFactory(variant=variant)
    page = as_owner.post(reverse("admin:pricing_price_add"), _row(variant=variant.pk))
    assert "There is a price" in page.content.decode()


def _variant_form(page, rows, initial=0):
    """The variant's own page with rows of prices."""
    typed = {True: "on", False: "", None: ""}
    shown = page.context["adminform"].form.initial
    form = {
        name: typed[value] if value is None or isinstance(value, bool) else value
        for name, value in shown.items()
    }
    form |= {"option_values": [], "metadata": "{}"}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        form |= {
            f"{prefix}-TOTAL_FORMS": len(rows) if prefix == "prices" else 0,
            f"{prefix}-INITIAL_FORMS": initial if prefix == "prices" else 0,
        }
    for number, row in enumerate(rows):
        form |= {f"prices-{number}-{name}": value for name, value in row.items()}
    return form


def test_prices_are_set_on_the_page_of_their_variant(as_owner, variant, store):
    url = reverse("admin:products_variant_change", args=[variant.pk])
    rows = [_row(), _row(amount="8.00", store=store.pk, min_quantity="5")]
    form = _variant_form(as_owner.get(url), rows)
    assert as_owner.post(url, form).status_code == 302
    first, second = Price.objects.order_by("pk")
    assert (first.amount, second.amount, second.store) == (1000, 800, store)

    rows = [
        _row(amount="9.00", id=first.pk),
        _row(amount="8.00", store=store.pk, min_quantity="5", id=second.pk, DELETE="on"),
    ]
    form = _variant_form(as_owner.get(url), rows, initial=2)
    assert as_owner.post(url, form).status_code == 302
    assert list(Price.objects.values_list("amount", flat=True)) == [900]
    assert sorted(_history(), key=str) == [(1000, 1), (800, 5), (900, 1), (None, 5)]


def test_one_price_named_twice_on_a_page_is_refused(as_owner, variant):
    url = reverse("admin:products_variant_change", args=[variant.pk])
    page = as_owner.post(url, _variant_form(as_owner.get(url), [_row(), _row(amount="2")]))
    assert page.status_code == 200
    assert not Price.objects.exists()


def test_the_prices_of_a_product_are_set_on_one_page(as_owner, store):
    product = ProductFactory(variants=2)
    small, large = product.variants.all()
    PriceFactory(variant=small, amount=1000)
    url = reverse("admin:products_product_do", args=[product.pk, "prices"])
    page = as_owner.get(url)
    names = [name for name in page.context["form"].fields if "price" in name]
    assert len(names) == 4
    one, two = f"price_{small.pk}_EUR", f"price_{large.pk}_EUR"
    form = {one: "9.50", f"compare_{one}": "10.00", two: "12", "once": "a"}
    assert as_owner.post(url, form).status_code == 302
    prices = Price.objects.order_by("pk").values_list("variant", "amount", "compare_at")
    assert list(prices) == [(small.pk, 950, 1000), (large.pk, 1200, None)]
    assert len(_history()) == 3

    for wrong in ({one: "", two: "12"}, {one: "1.001", two: "12"}, {one: "-1", two: "12"}):
        page = as_owner.post(url, {**wrong, "once": "b"})
        assert page.status_code == 200
        assert page.context["form"].errors
    assert len(_history()) == 3


def test_setting_prices_needs_its_permission(client, variant):
    PriceFactory(variant=variant)
    client.force_login(
        StaffFactory(permissions=["products.view_product", "products.change_variant"])
    )
    url = reverse("admin:products_product_do", args=[variant.product_id, "prices"])
    assert client.get(url).status_code == 403
    page = client.get(reverse("admin:products_variant_change", args=[variant.pk]))
    assert "prices-TOTAL_FORMS" not in page.content.decode()


def test_price_lists_are_kept_and_not_deleted_once_they_priced(as_owner, variant):
    group = CustomerGroupFactory()
    url = reverse("admin:pricing_pricelist_add")
    form = {
        "name": "VIP",
        "code": "vip",
        "group": group.pk,
        "priority": "1",
        "is_active": "on",
    }
    assert as_owner.post(url, form).status_code == 302
    made = PriceList.objects.get(code="vip")
    PriceFactory(variant=variant, price_list=made)
    delete = reverse("admin:pricing_pricelist_delete", args=[made.pk])
    assert as_owner.post(delete, {"post": "yes"}).status_code == 403
    unused = reverse("admin:pricing_pricelist_delete", args=[PriceListFactory().pk])
    assert as_owner.post(unused, {"post": "yes"}).status_code == 302


def test_the_page_of_a_variant_tells_the_price_before_a_reduction(
    as_owner, variant, store, django_assert_max_num_queries
):
    now = timezone.now()
    for days, amount, compare_at in ((90, 1234, None), (5, 800, 1234)):
        with time_machine.travel(now - timedelta(days=days), tick=False):
            set_prices([PriceData(variant.pk, "EUR", amount, compare_at=compare_at)])
    for pieces in range(2, 32):
        set_prices([PriceData(variant.pk, "EUR", 700, min_quantity=pieces)])
    url = reverse("admin:products_variant_change", args=[variant.pk])
    with django_assert_max_num_queries(30):
        page = as_owner.get(url)
    prices, history = (
        next(f for f in page.context["inline_admin_formsets"] if f.formset.prefix == prefix)
        for prefix in ("prices", "price_points")
    )
    told = [prices.opts.before_reduction(form.instance) for form in prices.formset.initial_forms]
    assert [text for text in told if text] == ["€12.34"]
    # The latest first, a page of them.
    amounts = [form.instance.amount for form in history.formset.initial_forms]
    assert amounts == [700] * 20


def test_coming_changes_are_a_calendar(as_owner, variant, store, django_assert_max_num_queries):
    now = timezone.now()
    day = timedelta(days=1)
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=900, valid_from=now - 2 * day, valid_to=now - day)
    sale = PriceFactory(variant=variant, amount=800, valid_from=now + day, valid_to=now + 3 * day)
    started = PriceFactory(
        variant=variant, amount=700, valid_from=now - day, valid_to=now + 2 * day, store=store
    )
    url = reverse("admin:pricing_price_calendar")
    with django_assert_max_num_queries(12):
        page = as_owner.get(url)
    rows = [(change.price, change.begins, amount) for change, amount in page.context["rows"]]
    assert rows == [(sale, True, "€8.00"), (started, False, "€7.00"), (sale, False, "€8.00")]
    assert "SHIRT-S" in page.content.decode()

    def found(when):
        shown = as_owner.get(reverse("admin:pricing_price_changelist"), {"when": when})
        return {price.amount for price in shown.context["cl"].result_list}

    assert [found(when) for when in ("now", "coming", "ended")] == [{1000, 700}, {800, 700}, {900}]
    Price.objects.all().delete()
    assert "No price begins" in as_owner.get(url).content.decode()


def test_a_currency_rule_is_made_changed_and_deleted(as_owner, store):
    store.currencies = ["JPY"]
    store.save()
    add = reverse("admin:pricing_currencyrule_add")
    assert as_owner.get(add).status_code == 200
    form = {
        "store": store.pk,
        "currency": "JPY",
        "mode": "derived",
        "base": "EUR",
        "surcharge": "2.5",
        "round_to": "1000",
        "minus": "20",
    }
    for wrong in ({"minus": "1000"}, {"base": "JPY"}, {"currency": "USD"}, {"round_to": "0.5"}):
        page = as_owner.post(add, form | wrong)
        assert (page.status_code, bool(page.context["errors"])) == (200, True)
    assert as_owner.post(add, form).status_code == 302
    rule = CurrencyRule.objects.get()
    assert (rule.round_to, rule.minus, str(rule.surcharge)) == (1000, 20, "2.500")
    again = as_owner.post(add, form)
    assert (again.status_code, bool(again.context["errors"])) == (200, True)
    change = reverse("admin:pricing_currencyrule_change", args=[rule.pk])
    assert as_owner.get(change).context["adminform"].form.initial["round_to"] == 1000
    terms = {"mode": "fixed", "base": "EUR", "surcharge": "0", "round_to": "", "minus": ""}
    assert as_owner.post(change, terms).status_code == 302
    rule.refresh_from_db()
    assert (rule.mode, rule.round_to, rule.minus) == ("fixed", 1, 0)
    assert as_owner.get(change).context["adminform"].form.initial["round_to"] is None
    delete = reverse("admin:pricing_currencyrule_delete", args=[rule.pk])
    assert as_owner.post(delete, {"post": "yes"}).status_code == 302
    assert not CurrencyRule.objects.exists()
    trail = AuditEntry.objects.filter(object_type="pricing.currencyrule").order_by("pk")
    assert [entry.action for entry in trail] == ["add", "change", "delete"]
