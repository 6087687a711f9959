"""Rules: what they do to which orders, once, and what they say they would do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.orders.models import Order, OrderRule, OrderTag
from apps.orders.services import LineChange, OrderChanges, edit_order
from apps.orders.services.automation import apply_rules, foresee, make_ready_rules
from apps.payments.services import refund
from tests.factories.stores import StoreFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
COMPLETE = "Delivered orders are completed after 14 days"
PROCESS = "Paid orders go into processing"
UNPAID = "Unpaid orders are cancelled after 3 days"


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def activate(code: str) -> None:
    OrderRule.objects.filter(code=code).update(is_active=True)


def test_rules_that_come_along_are_there_and_only_the_old_habit_is_on(store):
    rules = OrderRule.objects.order_by("pk").values_list("name", "is_active")
    assert list(rules) == [(PROCESS, False), (COMPLETE, True), (UNPAID, False)]
    OrderRule.objects.filter(code="complete-delivered").update(is_active=False, after_hours=1)
    make_ready_rules()
    assert OrderRule.objects.get(code="complete-delivered").after_hours == 1
    assert OrderRule.objects.count() == 3


def test_delivered_orders_are_completed_after_14_days_and_once(delivered):
    old, fresh = delivered(15), delivered(13)
    assert apply_rules() == {COMPLETE: 1}
    assert (status(old), status(fresh)) == ("completed", "delivered")
    entry = old.timeline.latest("pk")
    assert (entry.kind, entry.actor) == ("complete", f"rule: {COMPLETE}")
    assert apply_rules() == {COMPLETE: 0}


def test_paid_orders_go_into_processing_and_authorized_ones_wait(staff, place):
    paid, authorized = place(), place()
    staff.do(paid.payments.get(), "capture")
    activate("process-paid")
    apply_rules()
    assert (status(paid), status(authorized)) == ("processing", "confirmed")


def test_unpaid_orders_are_cancelled_but_not_while_their_bank_is_asked(buyer, simulator, drain):
    orders = []
    for _ in range(3):
        buyer.fill(("BOOK", 1))
        number = buyer.checkout("stripe").json()["order"]["number"]
        orders.append(Order.objects.get(number=number))
    late, asked, fresh = orders
    now = timezone.now()
    Order.objects.update(expires_at=None)
    Order.objects.exclude(pk=fresh.pk).update(created_at=now - timedelta(days=4))
    Order.objects.filter(pk=asked.pk).update(expires_at=now + timedelta(days=1))
    activate("cancel-unpaid")
    assert apply_rules()[UNPAID] == 1
    drain()
    assert [status(order) for order in orders] == ["cancelled", "pending", "pending"]
    assert late.timeline.get(kind="cancel").message == "Not paid in time."


def test_orders_paid_or_refunded_in_part_are_found(staff, place):
    owing, favoured, whole = place(), place(), place()
    for order in (owing, favoured, whole):
        staff.do(order.payments.get(), "capture")
    more = OrderChanges([LineChange(line=str(owing.lines.first().public_id), quantity=3)])
    edit_order(order=owing, changes=more)
    refund(payment=favoured.payments.get(), amount=100)
    tag = OrderTag.objects.create(name="Look")
    OrderRule.objects.create(name="Tag", trigger="partially_refunded", action="tag", tag=tag)
    OrderRule.objects.create(name="Go", trigger="partially_refunded", action="process")
    late = OrderRule.objects.create(
        name="Late", trigger="partially_paid", action="cancel", after_hours=24
    )
    assert [(x.rule.name, x.numbers) for x in foresee() if x.count] == [
        ("Tag", [favoured.number]),
        ("Go", [favoured.number]),
    ]
    OrderRule.objects.filter(pk=late.pk).update(after_hours=0)
    done = apply_rules()
    assert (done["Tag"], done["Go"], done["Late"]) == (1, 1, 1)
    assert [status(order) for order in (owing, favoured, whole)] == [
        "cancelled",
        "processing",
        "confirmed",
    ]
    assert owing.timeline.get(kind="cancel").message == "Not paid in time."
    # Under way already: what the action can't do isn't tried.
    assert apply_rules()["Go"] == 0


def test_a_stores_own_rule_stands_in_for_that_of_all(delivered, store):
    order = delivered(20)
    rule = OrderRule.objects.create(
        name="Ours", store=store, trigger="delivered", after_hours=24 * 30, action="complete"
    )
    other = StoreFactory(order_prefix="B-")
    OrderRule.objects.create(
        name="Theirs", store=other, trigger="delivered", after_hours=0, action="complete"
    )
    assert apply_rules() == {COMPLETE: 0, "Ours": 0, "Theirs": 0}
    rule.is_active = False
    rule.save()
    assert apply_rules()[COMPLETE] == 0
    rule.delete()
    assert apply_rules()[COMPLETE] == 1
    assert status(order) == "completed"


def test_a_rule_tags_once(delivered):
    order = delivered(1)
    tag = OrderTag.objects.create(name="Ask", key="ask")
    OrderRule.objects.create(name="Ask", trigger="delivered", action="tag", tag=tag)
    assert (apply_rules()["Ask"], apply_rules()["Ask"]) == (1, 0)
    assert order.timeline.filter(kind="tags").count() == 1


def test_work_is_done_in_batches_and_a_refusal_stops_nobody(delivered):
    orders = [delivered(15) for _ in range(3)]
    assert apply_rules(limit=2)[COMPLETE] == 2
    assert apply_rules(limit=2)[COMPLETE] == 1
    assert {status(order) for order in orders} == {"completed"}


def test_looking_ahead_tells_and_changes_nothing(delivered, staff, capsys):
    order = delivered(15)
    [outlook] = foresee()
    assert (outlook.rule.name, outlook.count, outlook.numbers) == (COMPLETE, 1, [order.number])
    call_command("apply_order_rules", "--dry-run")
    assert f"{COMPLETE}: would change 1 ({order.number})" in capsys.readouterr().out
    page = staff.get("/admin/orders/orderrule/outlook/").content.decode()
    assert order.number in page
    assert status(order) == "delivered"
    call_command("apply_order_rules")
    assert status(order) == "completed"


def test_back_office_refuses_a_rule_that_could_never_act(staff, store):
    form = {"name": "X", "trigger": "unpaid", "after_hours": 1, "action": "complete"}
    answer = staff.post("/admin/orders/orderrule/add/", form)
    assert "action" in answer.context["adminform"].form.errors
    answer = staff.post("/admin/orders/orderrule/add/", {**form, "action": "tag"})
    assert "tag" in answer.context["adminform"].form.errors
    assert (
        staff.post(
            "/admin/orders/orderrule/add/", {**form, "action": "cancel", "is_active": "on"}
        ).status_code
        == 302
    )
    ready = OrderRule.objects.get(code="process-paid")
    assert staff.post(f"/admin/orders/orderrule/{ready.pk}/delete/").status_code == 403
