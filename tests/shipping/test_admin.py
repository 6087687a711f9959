"""The back office's pages of shipping."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.shipping.models import Holiday, PickupPoint, ShippingMethod, Zone
from tests.factories.shipping import (
    HolidayFactory,
    PickupPointFactory,
    ShippingMethodFactory,
    ShippingRateFactory,
    ShippingSurchargeFactory,
    ZoneFactory,
)


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


def test_zones_are_typed_as_codes(as_owner):
    add = reverse("admin:shipping_zone_add")
    assert as_owner.get(add).status_code == 200
    assert as_owner.post(add, {"name": "Iberia", "places": "ES, XX"}).status_code == 200
    assert (
        as_owner.post(add, {"name": "Iberia", "places": "es, pt,\n ES-GC ,ES"}).status_code == 302
    )
    zone = Zone.objects.get()
    assert zone.places == ["ES", "PT", "ES-GC"]
    change = reverse("admin:shipping_zone_change", args=[zone.pk])
    assert "ES, PT, ES-GC" in as_owner.get(change).content.decode()


def test_a_zone_in_use_is_not_deleted(as_owner):
    used = ShippingMethodFactory().zone
    url = "admin:shipping_zone_delete"
    assert as_owner.post(reverse(url, args=[used.pk]), {"post": "yes"}).status_code == 403
    unused = ZoneFactory()
    assert as_owner.post(reverse(url, args=[unused.pk]), {"post": "yes"}).status_code == 302


def _form(store, *bands):
    form = {
        "name": "Standard",
        "code": "standard",
        "store": store.pk,
        "zone": ZoneFactory().pk,
        "min_days": "1",
        "max_days": "3",
        "position": "0",
        "is_active": "on",
        "kind": "delivery",
        "carrier": "table",
        "weekdays": ["1", "2", "3", "4", "5"],
        "processing_days": "0",
        "cutoff_time": "14:00",
        "volume_divisor": "5000",
        "weight_step": "0",
        "surcharges-TOTAL_FORMS": 0,
        "surcharges-INITIAL_FORMS": 0,
        "rates-TOTAL_FORMS": len(bands),
        "rates-INITIAL_FORMS": 0,
    }
    names = ("currency", "price", "free_above", "min_weight", "max_weight")
    more = {"per_kg": "0", "min_value": "0", "min_pieces": "0"}
    for number, band in enumerate(bands):
        values = dict(zip(names, band, strict=True)) | more
        form |= {f"rates-{number}-{name}": value for name, value in values.items()}
    return form


def test_methods_are_made_with_their_rates(as_owner, store):
    url = reverse("admin:shipping_shippingmethod_add")
    assert as_owner.get(url).status_code == 200
    bands = [("EUR", "4.95", "50", "0", "2000"), ("EUR", "9.95", "", "2000", "")]
    assert as_owner.post(url, _form(store, *bands, ("JPY", "500", "", "0", ""))).status_code == 302
    rates = ShippingMethod.objects.get().rates.values_list("currency", "price", "free_above")
    assert list(rates) == [("EUR", 495, 5000), ("EUR", 995, None), ("JPY", 500, None)]


@pytest.mark.parametrize(
    "bands",
    [
        [("EUR", "1", "", "0", "100"), ("EUR", "2", "", "50", "")],
        [("EUR", "1", "", "0", ""), ("EUR", "2", "", "50", "")],
        [("EUR", "1", "", "10", "10")],
        [("EUR", "-1", "", "0", "")],
        [("JPY", "1.5", "", "0", "")],
    ],
)
def test_bands_that_make_no_sense_are_refused_on_the_form(as_owner, store, bands):
    url = reverse("admin:shipping_shippingmethod_add")
    assert as_owner.post(url, _form(store, *bands)).status_code == 200
    assert not ShippingMethod.objects.exists()


def test_surcharges_are_made_with_their_places(as_owner, store):
    form = _form(store, ("EUR", "4.95", "", "0", ""))
    form |= {"surcharges-TOTAL_FORMS": 2}
    islands = {"name": "Islands", "currency": "EUR", "amount": "6", "places": "es-gc, ES:07*"}
    fuel = {"name": "Fuel", "percent": "7.5"}
    for number, row in enumerate((islands, fuel)):
        form |= {f"surcharges-{number}-{name}": value for name, value in row.items()}
    url = reverse("admin:shipping_shippingmethod_add")
    wrong = {**form, "surcharges-1-currency": "EUR", "surcharges-1-amount": "1"}
    assert as_owner.post(url, wrong).status_code == 200
    assert as_owner.post(url, {**form, "surcharges-0-places": "Moon"}).status_code == 200
    assert not ShippingMethod.objects.exists()
    assert as_owner.post(url, form).status_code == 302
    method = ShippingMethod.objects.get()
    assert list(
        method.surcharges.values_list("name", "currency", "amount", "percent", "places")
    ) == [
        ("Islands", "EUR", 600, None, ["ES-GC", "ES:07*"]),
        ("Fuel", "", None, Decimal("7.5"), []),
    ]
    assert (method.weekdays, method.cutoff_time) == ([1, 2, 3, 4, 5], time(14))
    page = as_owner.get(reverse("admin:shipping_shippingmethod_change", args=[method.pk]))
    assert "ES-GC, ES:07*" in page.content.decode()


def test_methods_without_weekdays_are_refused(as_owner, store):
    form = _form(store, ("EUR", "4.95", "", "0", "")) | {"weekdays": []}
    url = reverse("admin:shipping_shippingmethod_add")
    assert as_owner.post(url, form).status_code == 200
    assert not ShippingMethod.objects.exists()


def test_a_zone_tells_whether_an_address_belongs_to_it(as_owner):
    zone = ZoneFactory(places=["ES", "ES:35*"], exclusions=["ES-TF"])
    url = reverse("admin:shipping_zone_check", args=[zone.pk])
    assert as_owner.get(url).context["answer"] == ""
    for query, answer in (
        ("country=ES&postal_code=35001", "Yes, by its postcode."),
        ("country=es&region=M", "Yes, by its country."),
        ("country=ES&region=TF", "No: nothing in the zone names it, or an exception does."),
        ("country=FR", "No: nothing in the zone names it, or an exception does."),
    ):
        page = as_owner.get(f"{url}?{query}")
        assert page.context["answer"] == answer
        assert answer in page.content.decode()
    assert as_owner.get(reverse("admin:shipping_zone_check", args=[zone.pk + 1])).status_code == 404


def _try(client, store, **changes):
    query = {
        "store": store.pk,
        "currency": "EUR",
        "country": "ES",
        "region": "GC",
        "postal_code": "35001",
        "value": "20",
        "weight": "1000",
        "pieces": "1",
        **changes,
    }
    return client.get(reverse("admin:shipping_shippingmethod_try"), query)


def test_shipping_can_be_tried(as_owner, store):
    spain = ShippingMethodFactory(store=store, code="spain", volume_divisor=5000)
    ShippingRateFactory(method=spain, per_kg=100)
    ShippingSurchargeFactory(method=spain, places=["ES-GC"])
    ShippingMethodFactory(store=store, code="bare", zone=spain.zone)
    abroad = ShippingMethodFactory(store=store, code="abroad", zone=ZoneFactory(places=["*"]))
    ShippingRateFactory(method=abroad)
    page = _try(as_owner, store, volume="10000000")
    rows = [(row["method"].code, row["price"], str(row["why"])) for row in page.context["rows"]]
    assert rows == [
        ("spain", "€9.95", ""),
        ("bare", "", "no rate for this parcel and currency"),
        ("abroad", "", "other places only, or a closer zone wins"),
    ]
    assert [(name, amount) for name, amount, _facts in page.context["rows"][0]["steps"]] == [
        ("weight", "€0.00"),
        ("band", "€4.95"),
        ("per_kg", "€2.00"),
        ("surcharge", "€3.00"),
    ]
    assert "Islands" in page.content.decode()


def test_trying_asks_for_what_makes_sense(as_owner, store):
    assert as_owner.get(reverse("admin:shipping_shippingmethod_try")).context["rows"] == []
    for wrong in ({"value": "1.555"}, {"weight": "-1"}, {"country": "Spain"}, {"pieces": "0"}):
        page = _try(as_owner, store, **wrong)
        assert (page.status_code, page.context["rows"]) == (200, [])
        assert page.context["form"].errors


def test_pages_of_questions_are_for_those_who_may_look(
    client, store, readonly_staff, staff_without_permissions
):
    urls = [
        reverse("admin:shipping_shippingmethod_try"),
        reverse("admin:shipping_zone_check", args=[ZoneFactory().pk]),
    ]
    client.force_login(staff_without_permissions)
    assert [client.get(url).status_code for url in urls] == [403, 403]
    client.force_login(readonly_staff)
    assert [client.get(url).status_code for url in urls] == [200, 200]


def test_pickup_points_are_typed_with_their_address(as_owner):
    method = ShippingMethodFactory(kind="pickup")
    url = reverse("admin:shipping_pickuppoint_add")
    assert as_owner.get(url).status_code == 200
    form = {
        "name": "Kiosk",
        "method": method.pk,
        "line1": "Gran Vía 1",
        "postal_code": "28013",
        "city": "Madrid",
        "region": "M",
        "country": "es",
        "opening_hours": "Mon–Fri 9–20",
        "is_active": "on",
    }
    assert as_owner.post(url, {**form, "postal_code": "x"}).status_code == 200
    other = ShippingMethodFactory()
    assert as_owner.post(url, {**form, "method": other.pk}).status_code == 200
    assert as_owner.post(url, form).status_code == 302
    point = PickupPoint.objects.get()
    assert (point.address["country"], point.address["postal_code"]) == ("ES", "28013")
    change = reverse("admin:shipping_pickuppoint_change", args=[point.pk])
    assert "Gran Vía 1" in as_owner.get(change).content.decode()


def test_holidays_are_of_real_countries(as_owner):
    url = reverse("admin:shipping_holiday_add")
    form = {"country": "es", "region": "ct", "date": "2027-09-11", "name": "Diada"}
    assert as_owner.post(url, {**form, "country": "XX"}).status_code == 200
    assert as_owner.post(url, form).status_code == 302
    assert as_owner.post(url, form).status_code == 200
    assert Holiday.objects.values_list("country", "region").get() == ("ES", "CT")


@pytest.mark.parametrize("name", ["zone", "shippingmethod", "pickuppoint", "holiday"])
def test_lists_open_and_cost_the_same(as_owner, name, django_assert_max_num_queries):
    for number in range(6):
        ShippingRateFactory()
        PickupPointFactory()
        HolidayFactory(date=date(2027, 1, 1 + number))
    with django_assert_max_num_queries(12):
        page = as_owner.get(reverse(f"admin:shipping_{name}_changelist"))
    assert page.status_code == 200


def test_who_may_only_look_sees_every_page(client, store, readonly_staff):
    rate = ShippingRateFactory(method__store=store)
    ShippingSurchargeFactory(method=rate.method, places=["ES-GC"])
    rows = [rate.method, rate.method.zone, PickupPointFactory(), HolidayFactory()]
    client.force_login(readonly_staff)
    for row in rows:
        url = f"admin:shipping_{row._meta.model_name}_change"
        page = client.get(reverse(url, args=[row.pk]))
        assert page.status_code == 200
    assert (
        "28013 Madrid"
        in client.get(
            reverse("admin:shipping_pickuppoint_change", args=[rows[2].pk])
        ).content.decode()
    )
