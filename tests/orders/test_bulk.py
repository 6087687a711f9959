"""Many orders at once: a result for each, once, whatever dies in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.orders.models import BulkItem, BulkJob, Order, OrderEvent
from apps.orders.services import bulk
from apps.orders.services.bulk import (
    Verb,
    cancel_bulk,
    create_bulk,
    progress,
    register_verb,
    run_bulk,
)
from tests.permissions.cast import key_of
from tests.permissions.cast import staff as staff_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/orders/bulk/"


def numbers() -> list[str]:
    return list(Order.objects.order_by("pk").values_list("number", flat=True))


def start(user, verb: str = "tag", **data) -> BulkJob:
    return create_bulk(verb=verb, numbers=numbers(), data=data or {"tags": ["VIP"]}, user=user)


@pytest.fixture
def three(place) -> list[Order]:
    return [place() for _ in range(3)]


def test_one_action_for_many_by_the_api(as_merchant, three):
    Order.objects.filter(pk=three[1].pk).update(status="processing")
    OrderEvent.objects.create(
        order=three[1], kind="process", from_status="confirmed", to_status="processing", actor="x"
    )
    made = as_merchant.post(URL, {"action": "process", "orders": numbers()})
    assert (made.status_code, made.json()["status"], made.json()["total"]) == (202, "queued", 3)
    assert run_bulk() == 3
    told = as_merchant.get(f"{URL}{made.json()['id']}/").json()
    assert {name: told[name] for name in ("status", "done", "refused")} == {
        "status": "done",
        "done": 2,
        "refused": 1,
    }
    assert told["refusals"] == [
        {
            "number": three[1].number,
            "code": "transition_refused",
            "message": "The order can't do that in its present state.",
        }
    ]
    assert set(Order.objects.values_list("status", flat=True)) == {"processing"}
    assert three[0].timeline.latest("pk").actor == "merchant@example.com"
    assert AuditEntry.objects.filter(action="order.bulk").count() == 1


DOES = [
    ("tag", {"tags": ["VIP"]}, lambda order: [t.name for t in order.tags.all()] == ["VIP"]),
    ("untag", {"tags": ["vip"]}, lambda order: not order.tags.exists()),
    ("assign", {"assignee": "merchant@example.com"}, lambda order: order.assignee is not None),
    ("note", {"message": "Ring twice"}, lambda o: o.timeline.filter(kind="note").exists()),
    ("cancel", {"reason": "Sold out"}, lambda order: order.status == "cancelled"),
]


def test_what_this_room_can_do_with_many(merchant, three):
    for verb, data, seen in DOES:
        start(merchant, verb, **data)
        run_bulk()
        assert (verb, [seen(order) for order in Order.objects.all()]) == (verb, [True] * 3)


SENSELESS = [
    ({"action": "explode"}, "unknown_action"),
    ({"orders": ["WEB-404"]}, "unknown_orders"),
    ({"orders": []}, "validation_error"),
    ({"data": {"tags": []}}, "wrong_data"),
    ({"data": {"tags": ["x"], "more": 1}}, "wrong_data"),
    ({"data": []}, "validation_error"),
    ({"action": "assign", "data": {"assignee": "shopper@example.com"}}, "wrong_data"),
    ({"action": "note", "data": {"message": " "}}, "wrong_data"),
    ({"action": "note", "data": {"message": "x", "is_public": "yes"}}, "wrong_data"),
    ({"action": "process", "data": {"force": True}}, "wrong_data"),
]


def test_what_makes_no_sense_is_refused_at_once(as_merchant, shopper, place):
    right = {"action": "tag", "orders": [place().number], "data": {"tags": ["VIP"]}}
    for body, code in SENSELESS:
        answer = as_merchant.post(URL, {**right, **body})
        assert (body, answer.status_code, answer.json()["code"]) == (body, 400, code)
    assert not BulkJob.objects.exists()


def test_the_actions_own_permission_is_needed_too(place):
    order, body = place(), {"action": "cancel", "data": {}}
    owner = staff_of("owner")
    for client in (
        key_of(owner, "orders.add_bulkjob", "orders.transition_order"),
        key_of(staff_of("fulfillment"), "orders.add_bulkjob"),
    ):
        assert (
            client.post(URL, {**body, "orders": [order.number]}, format="json").status_code == 403
        )
    may = key_of(owner, "orders.add_bulkjob", "orders.cancel_order")
    assert may.post(URL, {**body, "orders": [order.number]}, format="json").status_code == 202


def test_who_lost_the_right_meanwhile_changes_nothing(merchant, three):
    job = start(merchant)
    merchant.groups.clear()
    assert run_bulk() == 0
    job.refresh_from_db()
    assert (job.status, progress(job)["done"]) == ("failed", 0)


def test_the_same_key_starts_it_once(as_merchant, three):
    body = {"action": "tag", "orders": numbers(), "data": {"tags": ["VIP"]}}
    for _ in range(2):
        answer = as_merchant.post(URL, body, HTTP_IDEMPOTENCY_KEY="k")
        assert answer.status_code == 202
    assert BulkJob.objects.count() == 1


def test_a_job_goes_on_behind_a_crash_and_does_nothing_twice(merchant, three, monkeypatch):
    """Killed inside an order: that one is rolled back whole, the others stay done."""
    job = start(merchant, "note", message="Once")
    done = []

    def crash(name: str) -> None:
        done.append(name)
        if len(done) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "failpoint", crash)
    with pytest.raises(KeyboardInterrupt):
        run_bulk()
    assert progress(job) == {"total": 3, "done": 1, "refused": 0}
    # The dead worker's lease.
    assert run_bulk() == 0
    BulkJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run_bulk() == 2
    assert OrderEvent.objects.filter(kind="note").count() == 3
    assert progress(job) == {"total": 3, "done": 3, "refused": 0}


def test_turns_end_and_another_goes_on(merchant, three, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 1)
    job = start(merchant)
    moments = iter([0.0, 0.0, 99.0])
    monkeypatch.setattr(bulk.time, "monotonic", lambda: next(moments))
    assert run_bulk(max_seconds=10) == 1
    job.refresh_from_db()
    assert (job.status, job.lease_until) == ("running", None)
    monkeypatch.undo()
    assert run_bulk() == 2


def test_stopped_jobs_stop_before_the_next_order(as_merchant, merchant, three, monkeypatch):
    job = start(merchant)
    monkeypatch.setattr(bulk, "failpoint", lambda name: cancel_bulk(job=job))
    run_bulk()
    job.refresh_from_db()
    assert (job.status, progress(job)["done"]) == ("cancelled", 1)
    assert run_bulk() == 0
    again = as_merchant.post(f"{URL}{job.public_id}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "bulk_over")


def test_upper_rooms_bring_verbs_of_their_own(merchant, three, monkeypatch):
    monkeypatch.setattr(bulk, "_verbs", dict(bulk._verbs))
    seen = []

    def label(order, data):
        if order.pk == three[0].pk:
            raise ZeroDivisionError
        seen.append(order.number)

    for is_atomic in (True, False):
        register_verb(
            Verb(
                name="print",
                label="Print",
                permission="orders.view_order",
                run=label,
                is_atomic=is_atomic,
            )
        )
        job = create_bulk(verb="print", numbers=numbers(), data={}, user=merchant)
        assert run_bulk() == 3
        assert progress(job) == {"total": 3, "done": 2, "refused": 1}
        assert job.items.get(order=three[0]).code == "error"
    assert seen == [order.number for order in three[1:]] * 2


def test_back_office_asks_what_to_do_with_the_chosen(staff, viewer, three):
    page = staff.list_action(three[:2], "change_many")
    job = BulkJob.objects.get()
    address = f"/admin/orders/bulkjob/{job.pk}/change/"
    assert page.request["PATH_INFO"] == address
    assert "2 orders" in page.content.decode()
    refused = staff.post(address, {"action": "tag", "tags": ""})
    assert refused.context["form"].non_field_errors() == ["tags: 1 to 20 names."]
    assert staff.post(address, {"action": "tag", "tags": "VIP, call"}).status_code == 302
    waiting = staff.get(address).content.decode()
    assert '<meta http-equiv="refresh" content="3">' in waiting
    assert viewer.post(f"/admin/orders/bulkjob/{job.pk}/cancel/").status_code == 403
    run_bulk()
    done = staff.get(address).content.decode()
    assert "2 done, 0 refused, of 2" in done
    assert "http-equiv" not in done
    assert [o.tags.count() for o in three] == [2, 2, 0]
    assert staff.get("/admin/orders/bulkjob/").status_code == 200


def test_choices_that_came_to_nothing_are_forgotten(staff, three):
    staff.list_action(three, "change_many")
    assert bulk.prune_drafts() == 0
    assert bulk.prune_drafts(now=timezone.now() + timedelta(days=2)) == 1
    assert not BulkItem.objects.exists()
