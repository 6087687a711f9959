"""What lies on the shelves, and the ledger that says why."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.core.context import Actor, acting
from apps.core.errors import Conflict
from apps.core.models import OutboxMessage
from apps.inventory import services
from apps.inventory.models import StockLevel, StockMovement
from apps.inventory.services import (
    InvalidQuantity,
    MovementKeyReused,
    NotOnHand,
    Snapshot,
    StockPromised,
    Want,
)
from apps.inventory.tasks import alert_low_stock
from apps.notifications.models import Notification
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def place(db):
    return LocationFactory(code="madrid")


@pytest.fixture
def level(place):
    return StockLevelFactory(location=place, on_hand=5)


def _where(level):
    return {"variant": level.variant, "location": level.location}


def _promise(level, store, quantity):
    wants = [Want(level.variant_id, quantity)]
    services.hold(reference="order:1", store_id=store.pk, wants=wants)


def _on_hand(level):
    level.refresh_from_db()
    return level.on_hand


def test_receiving_makes_the_shelf_and_its_ledger(place):
    variant = VariantFactory()
    with acting(Actor(label="clerk@example.com")):
        movement = services.receive(
            variant=variant, location=place, quantity=4, reference="DN-1", note="wet"
        )
    assert StockLevel.objects.get().on_hand == 4
    assert (movement.delta, movement.on_hand_after, movement.reason) == (4, 4, "receive")
    assert (movement.reference, movement.note, movement.actor) == (
        "DN-1",
        "wet",
        "clerk@example.com",
    )


def test_a_repeated_key_moves_nothing(level):
    first = services.receive(**_where(level), quantity=4, key="k")
    again = services.receive(**_where(level), quantity=4, key="k")
    assert (first.pk, _on_hand(level)) == (again.pk, 9)


def test_a_key_that_moved_something_else_is_refused(level):
    services.receive(**_where(level), quantity=4, key="k")
    with pytest.raises(MovementKeyReused):
        services.receive(**_where(level), quantity=3, key="k")
    with pytest.raises(MovementKeyReused):
        services.adjust(**_where(level), delta=4, key="k")
    assert _on_hand(level) == 9


@pytest.mark.parametrize("quantity", [0, -1, 2_000_000_001])
def test_impossible_quantities_are_refused(level, quantity):
    with pytest.raises(InvalidQuantity):
        services.receive(**_where(level), quantity=quantity)
    with pytest.raises(InvalidQuantity):
        services.return_stock(**_where(level), quantity=quantity, reference="r", key="k")
    with pytest.raises(InvalidQuantity):
        services.transfer(
            variant=level.variant,
            source=level.location,
            target=LocationFactory(),
            quantity=quantity,
        )
    assert _on_hand(level) == 5


def test_a_shelf_cannot_hold_more_than_the_column(level):
    services.receive(**_where(level), quantity=1_999_999_995)
    with pytest.raises(InvalidQuantity):
        services.receive(**_where(level), quantity=1)


def test_returned_goods_may_be_sold_again(level):
    movement = services.return_stock(**_where(level), quantity=2, reference="RMA-1", key="rma:1")
    assert (_on_hand(level), movement.reason, movement.reference) == (7, "return", "RMA-1")


def test_adjusting_stops_at_what_is_promised(level, store):
    _promise(level, store, 3)
    services.adjust(**_where(level), delta=-2)
    with pytest.raises(StockPromised):
        services.adjust(**_where(level), delta=-1)
    with pytest.raises(NotOnHand):
        services.adjust(**_where(level), delta=-4)
    with pytest.raises(InvalidQuantity):
        services.adjust(**_where(level), delta=0)
    assert _on_hand(level) == 3


def test_adjusting_may_go_into_the_backorders(level, store):
    services.set_backorder(**_where(level), limit=2)
    _promise(level, store, 5)
    services.adjust(**_where(level), delta=-2)
    with pytest.raises(StockPromised):
        services.adjust(**_where(level), delta=-1)
    assert _on_hand(level) == 3


def test_counting_moves_by_the_difference(level):
    assert services.set_on_hand(**_where(level), quantity=5) is None
    movement = services.set_on_hand(**_where(level), quantity=2, note="counted")
    assert (movement.delta, movement.note, _on_hand(level)) == (-3, "counted", 2)
    with pytest.raises(InvalidQuantity):
        services.set_on_hand(**_where(level), quantity=-1)


def test_a_backorder_limit_stays_above_what_orders_rely_on(level, store):
    assert services.set_backorder(**_where(level), limit=3) is True
    assert services.set_backorder(**_where(level), limit=3) is False
    _promise(level, store, 7)
    with pytest.raises(StockPromised):
        services.set_backorder(**_where(level), limit=1)
    assert services.set_backorder(**_where(level), limit=2) is True


def test_transferring_is_two_movements_with_one_reference(level):
    target = LocationFactory()
    out, into = services.transfer(
        variant=level.variant, source=level.location, target=target, quantity=2, key="t"
    )
    assert (out.delta, into.delta, out.reference) == (-2, 2, into.reference)
    services.transfer(
        variant=level.variant, source=level.location, target=target, quantity=2, key="t"
    )
    assert _on_hand(level) == 3
    with pytest.raises(NotOnHand):
        services.transfer(variant=level.variant, source=level.location, target=target, quantity=4)
    with pytest.raises(Conflict):
        services.transfer(variant=level.variant, source=target, target=target, quantity=1)


def test_a_transfer_leaves_what_is_promised(level, store):
    _promise(level, store, 4)
    target = LocationFactory()
    with pytest.raises(StockPromised):
        services.transfer(variant=level.variant, source=level.location, target=target, quantity=2)
    assert _on_hand(level) == 5


def _snapshot(level, quantity):
    return services.apply_snapshot(**_where(level), quantity=quantity)


def test_the_first_snapshot_sets_the_shelf(level):
    assert _snapshot(level, 8) == 3
    assert _on_hand(level) == 8


def test_a_snapshot_does_not_give_back_what_was_sold_since(level, store):
    _snapshot(level, 10)
    _promise(level, store, 3)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={level.variant_id: 3}, key="s")
    assert _on_hand(level) == 7
    assert _snapshot(level, 10) == 0
    assert _snapshot(level, 12) == 2
    assert _on_hand(level) == 9


def test_a_snapshot_never_goes_below_what_is_promised(level, store):
    _promise(level, store, 4)
    assert _snapshot(level, 0) == -1
    assert _on_hand(level) == 4


def test_snapshots_of_many_cost_the_same(place, django_assert_max_num_queries):
    variants = VariantFactory.create_batch(30)
    snapshots = [Snapshot(v.pk, place.pk, n) for n, v in enumerate(variants)]
    with django_assert_max_num_queries(12):
        assert services.apply_snapshots(snapshots) == list(range(30))
    assert services.apply_snapshots(snapshots) == [0] * 30
    assert StockMovement.objects.count() == 29


def test_a_shelf_named_twice_in_one_snapshot_ends_at_the_last(level):
    rows = [Snapshot(level.variant_id, level.location_id, n) for n in (9, 4)]
    assert services.apply_snapshots(rows) == [4, -5]
    assert _on_hand(level) == 4


def test_movements_are_written_once(level):
    movement = StockMovement.objects.get()
    movement.note = "changed"
    with pytest.raises(TypeError):
        movement.save()
    with pytest.raises(TypeError):
        movement.delete()


@pytest.mark.parametrize(
    "wrong", [{"on_hand": -1}, {"held": -1}, {"committed": 6}, {"held": 6}, {"backorder_limit": -1}]
)
def test_the_database_itself_refuses_what_cannot_be(level, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        StockLevel.objects.filter(pk=level.pk).update(**wrong)


def test_a_change_of_stock_is_published_for_its_product(level):
    OutboxMessage.objects.all().delete()
    services.adjust(**_where(level), delta=1)
    told = OutboxMessage.objects.filter(name="stock.changed")
    assert told.values("event_id").distinct().count() == 1
    assert told[0].payload == {"product_ids": [str(level.variant.product.public_id)]}


def test_a_low_level_alerts_once_until_it_recovers(level, store):
    services.set_threshold(**_where(level), pieces=4)
    assert services.alert_low_stock() == []
    _promise(level, store, 1)
    assert services.alert_low_stock() == [level]
    assert services.alert_low_stock() == []
    services.receive(**_where(level), quantity=1)
    assert services.alert_low_stock() == []
    services.adjust(**_where(level), delta=-1)
    assert services.alert_low_stock() == [level]


def test_low_stock_is_mailed_once_to_the_stores_that_sell_it(level, store):
    other = StoreFactory(email="other@example.com")
    elsewhere = StockLevelFactory(location=LocationFactory(), on_hand=1)
    elsewhere.location.stores.add(other)
    for low in (level, elsewhere):
        services.set_threshold(**_where(low), pieces=9)
    assert alert_low_stock() == 2
    assert alert_low_stock() == 0
    mails = {mail.recipient: mail for mail in Notification.objects.all()}
    assert set(mails) == {store.email, other.email}
    assert mails[store.email].subject == "Main: low stock"
    assert level.variant.sku in mails[store.email].body_text
    assert elsewhere.variant.sku not in mails[store.email].body_text
    assert elsewhere.variant.sku in mails[other.email].body_text
    assert level.variant.sku in mails[other.email].body_html


def test_what_is_set_apart_isnt_sold_until_somebody_decides(level, store):
    _promise(level, store, 2)
    with pytest.raises(StockPromised):
        services.set_apart(**_where(level), quantity=4)
    for _ in range(2):
        services.set_apart(**_where(level), quantity=3, key="once", note="wet")
    level.refresh_from_db()
    assert (level.on_hand, level.quarantined, level.available) == (2, 3, 0)
    services.settle_quarantine(**_where(level), quantity=1, outcome="release")
    services.settle_quarantine(**_where(level), quantity=1, outcome="scrap")
    with pytest.raises(services.NotQuarantined):
        services.settle_quarantine(**_where(level), quantity=2, outcome="supplier")
    services.settle_quarantine(**_where(level), quantity=1, outcome="supplier")
    level.refresh_from_db()
    assert (level.on_hand, level.quarantined) == (3, 0)
    told = StockMovement.objects.order_by("pk").values_list("reason", "delta", "quarantined_delta")
    assert list(told)[1:] == [
        ("apart", -3, 3),
        ("release", 1, -1),
        ("scrap", 0, -1),
        ("supplier", 0, -1),
    ]


def test_quarantine_by_api(level, as_merchant):
    url = "/api/v1/admin/inventory/quarantine/"
    body = {"sku": level.variant.sku, "location": "madrid", "quantity": 2}
    key = {"HTTP_IDEMPOTENCY_KEY": "apart-1"}
    made = as_merchant.post(url, body, **key).json()
    assert as_merchant.post(url, body, **key).json() == made
    assert (made["quantity"], made["quarantined_delta"], made["reason"]) == (-2, 2, "apart")
    settled = as_merchant.post(f"{url}settle/", {**body, "outcome": "release"}).json()
    assert (settled["quantity"], settled["on_hand_after"]) == (2, 5)
    refused = as_merchant.post(f"{url}settle/", {**body, "outcome": "scrap"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_quarantined")
