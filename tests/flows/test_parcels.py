"""Orders that several locations send: each parcel has its price, where the method wants it so."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.inventory.models import Hold
from apps.inventory.selectors import Source, sources
from apps.orders.models import Order
from apps.pricing.services import Item, Situation, parts_of
from apps.shipping.carriers.base import Carrier, CarrierRate, RateRequest
from apps.shipping.engines.tables import Parcel, Part
from apps.shipping.models import ShippingMethod, ShippingRate
from tests.flows.conftest import ADDRESS

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def split(shop):
    """The post asks 4.95 for each location's parcel, 2.00 below a kilogram."""
    ShippingMethod.objects.update(per_location=True)
    ShippingRate.objects.update(min_weight=1000)
    method = ShippingMethod.objects.get()
    ShippingRate.objects.create(method=method, currency="EUR", price=200, max_weight=1000)
    # Far away is Portugal; a mug weighs 400 grams there as here.
    shop.far.country = "PT"
    shop.far.save()
    type(shop.mug).objects.filter(pk=shop.mug.pk).update(weight=400)
    return shop


def _shipping(cart):
    return cart["totals"]["shipping"]["amount"]


def _offered(buyer):
    [offer] = buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/shipping-methods/").json()
    return offer["price"]["amount"]


def test_what_two_locations_send_are_two_parcels(buyer, split):
    # Three mugs from near (1.2 kg, 4.95) and two from far (0.8 kg, 2.00).
    cart = buyer.fill(("MUG", 5))
    assert (_shipping(cart), _offered(buyer)) == ("6.95", "6.95")
    assert buyer.checkout().status_code == 201
    order = Order.objects.get()
    parcels = [
        {"location": "near", "pieces": 3, "weight": 1200, "price": 495},
        {"location": "far", "pieces": 2, "weight": 800, "price": 200},
    ]
    assert order.quote["shipping_choice"]["parcels"] == parcels
    [step] = [s["facts"] for s in order.quote["trace"] if s["step"] == "shipping"]
    assert step["parcels"] == parcels
    held = Hold.objects.values_list("level__location__code", "quantity").order_by("-quantity")
    assert list(held) == [("near", 3), ("far", 2)]


def test_other_methods_price_the_order_as_one_parcel(buyer, split):
    ShippingMethod.objects.update(per_location=False)
    assert _shipping(buyer.fill(("MUG", 5))) == "4.95"


def test_what_one_location_has_is_one_parcel(buyer, split):
    assert _shipping(buyer.fill(("MUG", 2), ("BOOK", 1))) == "4.95"


def test_the_whole_orders_worth_makes_every_parcel_free(buyer, split):
    ShippingRate.objects.update(free_above=6000)
    assert _shipping(buyer.fill(("MUG", 5))) == "0.00"
    assert _shipping(buyer.fill(("MUG", 4))) == "6.95"


def test_what_nobody_counts_or_has_goes_with_the_most(buyer, split):
    type(split.book).objects.filter(pk=split.book.pk).update(track_inventory=False)
    cart = buyer.fill(("MUG", 4), ("BOOK", 2))
    # Near: three mugs and two books, 1.8 kg.
    assert _shipping(cart) == "6.95"


def test_downloads_are_in_no_parcel(buyer, split):
    type(split.book).objects.filter(pk=split.book.pk).update(requires_shipping=False)
    assert _shipping(buyer.fill(("MUG", 1), ("BOOK", 1))) == "2.00"


def test_a_location_without_enough_leaves_the_rest_to_the_next(split):
    wanted = {split.mug.pk: 5, split.book.pk: 101}
    near, far = Source("near", "ES"), Source("far", "PT")
    found = sources(store_id=split.store.pk, wanted=wanted)
    assert found == [(split.mug.pk, near, 3), (split.mug.pk, far, 2)]
    assert sources(store_id=split.store.pk, wanted={split.mug.pk: 2}) == [(split.mug.pk, near, 2)]


def _queries(buyer):
    with CaptureQueriesContext(connection) as seen:
        buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/")
    return len(seen)


def test_one_query_more_whatever_is_in_the_cart(buyer, split):
    buyer.fill(("MUG", 5))
    ShippingMethod.objects.update(per_location=False)
    whole = _queries(buyer)
    ShippingMethod.objects.update(per_location=True)
    assert _queries(buyer) == whole + 1
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/lines/", {"sku": "BOOK", "quantity": 3})
    assert _queries(buyer) == whole + 1


class Parcels(Carrier):
    """A carrier of the tests, which asks 1.00 for each started hundred grams from abroad."""

    asked: list[RateRequest] = []

    def rates(self, request):
        self.asked.append(request)
        each = 100 if request.origin.country != "ES" else 50
        weight = request.packages[0].weight
        return [CarrierRate("day", "Day", each * -(-weight // 100), request.currency)]


def test_a_carrier_is_asked_for_each_parcel_from_where_it_is(buyer, split, settings):
    path = "tests.flows.test_parcels.Parcels"
    settings.SHIPPING_CARRIERS = {**settings.SHIPPING_CARRIERS, "parcels": path}
    import_string(path).asked.clear()
    ShippingMethod.objects.update(carrier="parcels", service="day")
    buyer.fill(("MUG", 5))
    # 1.2 kg at 0.50, 0.8 kg at 1.00.
    assert _offered(buyer) == "14.00"
    asked = [(r.origin.country, r.packages[0].weight) for r in import_string(path).asked]
    assert asked == [("ES", 1200), ("PT", 800)]
    assert _shipping(buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/").json()) == "14.00"


def test_parts_begin_with_the_one_that_sends_most(split, store):
    situation = Situation(store, "EUR", timezone.now(), ADDRESS)
    mug = type(split.mug).objects.select_related("product").get(pk=split.mug.pk)
    parts = parts_of(situation=situation, items=[Item("1", mug, 7)])
    # Two more than there are.
    assert parts == ()
    parts = parts_of(situation=situation, items=[Item("1", mug, 4), Item("2", mug, 1)])
    assert parts == (
        Part("near", "ES", Parcel(1200, 0, 3)),
        Part("far", "PT", Parcel(800, 0, 2)),
    )
