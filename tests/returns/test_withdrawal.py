"""The withdrawal function (Directive 2011/83/EU, article 11a)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from time_machine import travel

from apps.core.errors import RateLimited
from apps.fulfillment.services import fulfill
from apps.notifications.models import Notification
from apps.returns import services
from apps.returns.models import Withdrawal
from tests.returns.conftest import buy, pay_and_send, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def withdraw(order, **changes) -> Withdrawal:
    said = {"name": "Ana García", "email": "ana@example.com", "language": "en", **changes}
    return services.withdraw(order=order, **said)


def test_nobody_has_to_agree_and_it_is_acknowledged_at_once(
    order, shop, drain, django_capture_on_commit_callbacks
):
    shop.store.return_policies.create(instructions="To Calle Mayor 1, Madrid", fee_percent=20)
    with travel("2026-11-21T10:00:00Z"), django_capture_on_commit_callbacks(execute=True):
        order.delivered_at = timezone.now()
        order.save()
        statement = withdraw(order)
        drain()
    assert statement.request.status == "approved"
    sent = [m for m in mail.outbox if "withdrew" in m.subject]
    assert [m.to for m in sent] == [["ana@example.com"]]
    text = sent[0].body
    for part in (
        "Ana García (ana@example.com) withdrew from the contract about order WEB-1 at Main",
        "on Nov. 21, 2026 at 10:00:00 UTC",
        "3 × Mug",
        "To Calle Mayor 1, Madrid",
    ):
        assert part in text
    # Saying it again is no second withdrawal.
    assert withdraw(order) == statement
    with pytest.raises(services.ReturnRefused):
        services.cancel_return(request=statement.request)
    services.receive_return(request=statement.request, location=shop.near)
    services.inspect_return(request=statement.request)
    # Everything, with the delivery and without a fee.
    assert services.refund_return(request=statement.request).refund_amount == order.total


def test_what_wasnt_sent_is_cancelled(buyer, drain):
    order = buy(buyer, ("MUG", 1))
    statement = withdraw(order)
    drain()
    order.refresh_from_db()
    assert (order.status, statement.request) == ("cancelled", None)


def test_fourteen_days_after_the_delivery_it_is_over(order):
    with travel(timezone.now() + timedelta(days=17)), pytest.raises(services.NoRightOfWithdrawal):
        withdraw(order)


@pytest.mark.parametrize(
    "change",
    [
        {"shipping_address": {"country": "US"}},
        {"billing_address": {"vat_number": "ESB12345678"}},
    ],
)
def test_it_is_for_consumers_in_europe(order, change):
    type(order).objects.filter(pk=order.pk).update(**change)
    with pytest.raises(services.NoRightOfWithdrawal):
        withdraw(order)


def test_of_a_part_and_not_of_what_is_exempt(order, shop):
    statement = withdraw(order, wishes=[wish(order, "BOOK", 1)])
    assert list(statement.request.lines.values_list("order_line__sku", "quantity")) == [("BOOK", 1)]
    shop.store.return_policies.create(is_exempt=True)
    with pytest.raises(services.NoRightOfWithdrawal):
        withdraw(order, wishes=[wish(order, "MUG", 1)])


def by_number(store, number="WEB-1", email="Ana@Example.com") -> None:
    services.withdraw_by_number(store=store, number=number, name="Ana", email=email, language="en")


def told() -> list[tuple[str, str]]:
    """What was told of withdrawals, and to whom."""
    kinds = ("returns/withdrawn", "returns/no_right")
    found = Notification.objects.filter(kind__in=kinds).order_by("pk")
    return list(found.values_list("kind", "recipient"))


def test_by_number_and_mail_it_says_nothing_of_what_there_is(order, store, drain):
    by_number(store, number="WEB-99")
    by_number(store, email="eve@example.com")
    drain()
    assert (Withdrawal.objects.count(), told()) == (0, [])
    by_number(store)
    drain()
    assert told() == [("returns/withdrawn", "ana@example.com")]


def test_who_has_no_right_learns_it_by_mail(order, store, drain):
    with travel(timezone.now() + timedelta(days=30)):
        by_number(store)
        by_number(store)
    assert told() == [("returns/no_right", "ana@example.com")]


def test_guessing_is_limited(order, store):
    for _n in range(5):
        by_number(store, email="eve@example.com")
    with pytest.raises(RateLimited):
        by_number(store)


def test_parts_that_werent_sent_are_left_to_the_staff(buyer):
    order = buy(buyer, ("MUG", 2))
    line = order.lines.get()
    fulfill(order=order, quantities={str(line.public_id): 1})
    statement = withdraw(order)
    assert statement.request.lines.get().quantity == 1
    assert order.timeline.filter(kind="withdrawn").exists()


def test_it_runs_before_the_delivery(buyer):
    order = pay_and_send(buy(buyer, ("BOOK", 1)), delivered=False)
    assert withdraw(order).request.status == "approved"
