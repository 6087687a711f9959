"""Cards that Stripe keeps: saved and used at checkout, removed, charged while nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.stripe.simulator import Fault, StripeSimulator
from apps.payments.models import GatewayAccount, PayLink, Payment, ProviderEvent, SavedMethod
from tests.flows.conftest import Buyer, Shop, deliver, shop, simulator
from tests.flows.test_stripe import DECLINED, SECURE, VISA
from tests.payments.test_settling import edit, sums

__all__ = ["deliver", "shop", "simulator"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

URL = "/api/v1/me/payment-methods/"
BACK = "https://shop.example/done"
# Set up once, it isn't asked about again off session; at the till it is.
ON_SETUP = "pm_card_authenticationRequiredOnSetup"
# Pays at the till after a question, and is declined by itself.
ALWAYS = "pm_card_authenticationRequired"
# Kept without a question, and declined at every payment.
FAILING = "pm_card_chargeCustomerFail"
Drain = Callable[[], int]


@pytest.fixture
def sam(as_shopper: APIClient, shop: Shop) -> Buyer:
    """Somebody with an account."""
    return Buyer(as_shopper)


def buy(buyer: Buyer, **payment: Any) -> Any:
    buyer.fill(("BOOK", 1))
    return buyer.checkout(payment.pop("gateway", "stripe"), **payment)


def keep(buyer: Buyer, method: str = VISA) -> SavedMethod:
    answer = buy(buyer, method=method, save_method=True)
    assert answer.status_code == 201, answer.json()
    return SavedMethod.objects.latest("pk")


def owing(buyer: Buyer, drain: Drain, amount: int = 500) -> Order:
    """An order that was paid by another card and comes to more since; its link was mailed."""
    buy(buyer, method=VISA)
    order = edit(Order.objects.latest("pk"), amount)
    drain()
    assert len(links_mailed()) == 1
    mail.outbox.clear()
    return order


def links_mailed() -> list[Any]:
    return [message for message in mail.outbox if "/pay/" in message.body]


def url_of(order: Order) -> str:
    return f"/api/v1/admin/orders/{order.number}/charge-saved/"


def stripes(method: SavedMethod) -> Any:
    client: Any = gateway("stripe")
    return client.client.v1.payment_methods.retrieve(method.provider_id)


def attach(card: str, customer: str) -> str:
    client: Any = gateway("stripe")
    return str(client.client.v1.payment_methods.attach(card, {"customer": customer}).id)


def test_card_is_kept_with_what_may_be_shown(
    sam: Buyer, shopper: User, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    [shown] = sam.client.get(URL).json()["results"]

    assert method.customer.user == shopper
    assert stripes(method).customer == method.provider_customer
    assert shown == {
        "id": str(method.public_id),
        "gateway": "stripe",
        "brand": "visa",
        "last4": "4242",
        "expiry_month": 12,
        "expiry_year": 2034,
        "is_default": False,
        "created_at": shown["created_at"],
    }


def test_customer_is_made_once(sam: Buyer, simulator: StripeSimulator) -> None:
    buy(sam, method=VISA)
    assert simulator.state()["customers"] == 0
    keep(sam)
    keep(sam, "pm_card_mastercard")
    assert simulator.state()["customers"] == 1
    assert list(SavedMethod.objects.order_by("pk").values_list("brand", flat=True)) == [
        "visa",
        "mastercard",
    ]


def test_lost_answer_to_the_customer_makes_no_second(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    simulator.add_fault(Fault("/v1/customers", "POST", drop_after_execute=True, times=2))
    assert buy(sam, method=VISA, save_method=True).json()["payment"]["status"] == "created"
    services.reconcile(now=timezone.now() + timedelta(minutes=3))
    assert Payment.objects.get().status == "captured"
    assert simulator.state()["customers"] == 1
    assert SavedMethod.objects.count() == 1


def test_declined_card_is_not_kept(sam: Buyer, simulator: StripeSimulator) -> None:
    assert buy(sam, method=DECLINED, save_method=True).status_code == 402
    assert not SavedMethod.objects.exists()
    # The same order, by another card, under the same customer of Stripe's.
    assert sam.checkout("stripe", method=VISA, save_method=True).status_code == 201
    assert (SavedMethod.objects.count(), simulator.state()["customers"]) == (1, 1)


def test_card_is_kept_after_the_banks_question_and_by_the_gateways_form(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    buy(sam, method=SECURE, save_method=True, return_url=BACK)
    assert not SavedMethod.objects.exists()
    simulator.complete_action(Payment.objects.get().provider_id or "")
    services.look_again(order=Order.objects.get())
    assert SavedMethod.objects.count() == 1
    asked = buy(sam, save_method=True).json()["payment"]
    client: Any = gateway("stripe")
    client.client.v1.payment_intents.confirm(
        Payment.objects.latest("pk").provider_id,
        {"payment_method": "pm_card_amex", "return_url": BACK},
    )
    services.look_again(order=Order.objects.latest("pk"))
    assert asked["status"] == "requires_action"
    assert SavedMethod.objects.latest("pk").brand == "amex"


@pytest.mark.parametrize("account", ["guest", "manual"])
def test_who_or_what_cannot_be_kept_is_refused(
    sam: Buyer, api: APIClient, simulator: StripeSimulator, account: str
) -> None:
    buyer = Buyer(api) if account == "guest" else sam
    code = "stripe" if account == "guest" else "manual"
    answer = buy(buyer, gateway=code, method=VISA if code == "stripe" else "", save_method=True)
    assert (answer.status_code, answer.json()["code"]) == (400, "method_not_savable")
    assert not Order.objects.exists()


def test_kept_card_pays(sam: Buyer, simulator: StripeSimulator) -> None:
    method = keep(sam)
    answer = buy(sam, gateway="", saved_method=str(method.public_id))
    payment = Payment.objects.latest("pk")

    assert answer.status_code == 201, answer.json()
    assert (payment.status, payment.method) == ("captured", method.provider_id)
    assert payment.provider_customer == method.provider_customer
    assert SavedMethod.objects.count() == 1
    assert method.provider_id not in answer.content.decode()


def test_kept_card_of_somebody_else_is_not_there(
    sam: Buyer, as_stranger: APIClient, api: APIClient, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    ordered = Order.objects.count()
    for client in (as_stranger, api):
        for unknown in (str(method.public_id), "018f0000-0000-7000-8000-000000000000"):
            answer = buy(Buyer(client), saved_method=unknown)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        # Nor by the gateway's own id of it: it is its customer's.
        answer = buy(Buyer(client), method=method.provider_id)
        assert answer.status_code == 402
    assert as_stranger.get(f"{URL}{method.public_id}/").status_code == 404
    assert as_stranger.delete(f"{URL}{method.public_id}/").status_code == 404
    assert as_stranger.patch(f"{URL}{method.public_id}/", {"is_default": True}).status_code == 404
    assert as_stranger.get(URL).json()["results"] == []
    assert Order.objects.filter(status="confirmed").count() == ordered
    assert stripes(method).customer == method.provider_customer


@pytest.mark.parametrize(
    "payment",
    [
        {"method": VISA},
        {"save_method": True},
        {"gateway": "manual"},
    ],
)
def test_kept_card_goes_with_nothing_else(
    sam: Buyer, simulator: StripeSimulator, payment: dict[str, Any]
) -> None:
    saved = str(keep(sam).public_id)
    answer = buy(sam, saved_method=saved, **payment)
    assert answer.status_code in (400, 404)
    assert Order.objects.count() == 1


def test_way_to_pay_must_be_named(sam: Buyer) -> None:
    answer = buy(sam, gateway="")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("payment.gateway", "required")


def test_staff_who_order_for_somebody_use_no_card_of_theirs(
    sam: Buyer, as_merchant: APIClient, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    answer = as_merchant.post(
        "/api/v1/admin/orders/",
        {
            "lines": [{"sku": "BOOK", "quantity": 1}],
            "email": "ana@example.com",
            "customer": str(method.customer.public_id),
            "payment": {"gateway": "stripe", "saved_method": str(method.public_id)},
        },
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "payment.saved_method"


def test_card_of_an_account_that_is_not_offered_is_not_there(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    GatewayAccount.objects.create(gateway="stripe", is_enabled=False)
    assert buy(sam, gateway="", saved_method=str(method.public_id)).status_code == 404


def test_kept_card_that_the_bank_asks_about_waits_for_the_shopper(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    buy(sam, method=ALWAYS, save_method=True, return_url=BACK)
    simulator.complete_action(Payment.objects.get().provider_id or "")
    services.look_again(order=Order.objects.get())
    method = SavedMethod.objects.get()
    answer = buy(sam, saved_method=str(method.public_id), return_url=BACK).json()
    assert answer["payment"]["status"] == "requires_action"
    assert answer["payment"]["redirect_url"].startswith(simulator.url)


def test_removed_card_is_gone_here_and_there_and_stays_gone(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    assert sam.client.delete(f"{URL}{method.public_id}/").status_code == 204
    assert stripes(method).customer is None
    assert sam.client.get(URL).json()["results"] == []
    assert sam.client.delete(f"{URL}{method.public_id}/").status_code == 404
    # News of the payment that saved it don't bring it back.
    services.refund(payment=Payment.objects.get(), amount=100)
    services.remove_method(method=method)
    assert not SavedMethod.objects.exists()


def test_card_stays_while_the_provider_does_not_answer(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    method = keep(sam)
    path = f"/v1/payment_methods/{method.provider_id}/detach"
    simulator.add_fault(Fault(path, "POST", drop_before_execute=True, times=2))
    answer = sam.client.delete(f"{URL}{method.public_id}/")
    assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unreachable")
    assert SavedMethod.objects.exists()
    simulator.add_fault(Fault(path, "POST", drop_after_execute=True, times=2))
    assert sam.client.delete(f"{URL}{method.public_id}/").status_code == 503
    assert sam.client.delete(f"{URL}{method.public_id}/").status_code == 204


def test_one_card_is_the_default(sam: Buyer, simulator: StripeSimulator) -> None:
    first, second = keep(sam), keep(sam, "pm_card_mastercard")
    for method in (first, second):
        changed = sam.client.patch(f"{URL}{method.public_id}/", {"is_default": True})
        assert changed.json()["is_default"] is True
    assert list(SavedMethod.objects.filter(is_default=True)) == [second]
    sam.client.patch(f"{URL}{first.public_id}/", {"is_default": False})
    assert list(SavedMethod.objects.filter(is_default=True)) == [second]
    sam.client.patch(f"{URL}{second.public_id}/", {"is_default": False})
    assert not SavedMethod.objects.filter(is_default=True).exists()


def test_list_costs_the_same_for_many(
    sam: Buyer, simulator: StripeSimulator, django_assert_num_queries: Any
) -> None:
    method = keep(sam)
    rows = [
        SavedMethod(
            **{
                name: getattr(method, name)
                for name in ("customer", "gateway", "brand", "last4", "expiry_month", "expiry_year")
            },
            provider_customer=method.provider_customer,
            provider_id=f"pm_{number}",
        )
        for number in range(30)
    ]
    sam.client.get(URL)
    with django_assert_num_queries(2):
        assert len(sam.client.get(URL).json()["results"]) == 1
    SavedMethod.objects.bulk_create(rows)
    with django_assert_num_queries(2):
        page = sam.client.get(URL).json()
    assert (len(page["results"]), bool(page["next"])) == (24, True)


def test_webhooks_keep_the_row_true(
    sam: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Drain
) -> None:
    method = keep(sam)
    simulator.renew_card(method.provider_id, exp_month=4, exp_year=2040)
    [renewed] = simulator.events("payment_method.automatically_updated")
    assert deliver(renewed).status_code == 204
    drain()
    method.refresh_from_db()
    assert method.expiry == "04/40"

    client: Any = gateway("stripe")
    client.client.v1.payment_methods.detach(method.provider_id)
    [detached] = simulator.events("payment_method.detached")
    # Somebody else's method, and the same again, are of no interest.
    for event in (detached, {**detached, "id": "evt_again"}):
        assert deliver(event).status_code == 204
        drain()
    assert not SavedMethod.objects.exists()
    assert list(ProviderEvent.objects.order_by("pk").values_list("status", flat=True)) == [
        "done",
        "done",
        "ignored",
    ]


def test_news_that_is_late_forgets_nothing(
    sam: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Drain
) -> None:
    """What the event says isn't believed: Stripe is asked, and still keeps the card."""
    method = keep(sam)
    event = {
        "id": "evt_late",
        "object": "event",
        "type": "payment_method.detached",
        "data": {"object": {"object": "payment_method", "id": method.provider_id}},
    }
    assert deliver(event).status_code == 204
    drain()
    assert SavedMethod.objects.get() == method


def test_staff_charge_what_is_due(
    sam: Buyer, as_merchant: APIClient, simulator: StripeSimulator, drain: Drain
) -> None:
    method = keep(sam)
    order = owing(sam, drain)
    before = sums(simulator)[0]
    answers = [as_merchant.post(url_of(order), HTTP_IDEMPOTENCY_KEY=key) for key in ("a", "a", "b")]
    payment = Payment.objects.latest("pk")

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[0].json()["status"] == "captured"
    assert answers[2].json()["code"] == "nothing_outstanding"
    assert (payment.amount, payment.method) == (500, method.provider_id)
    assert sums(simulator)[0] == before + 500
    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert order.timeline.filter(kind="saved_method_charged").count() == 1


def test_default_card_is_charged_else_the_newest(
    sam: Buyer, simulator: StripeSimulator, drain: Drain
) -> None:
    first, second = keep(sam), keep(sam, "pm_card_mastercard")
    order = owing(sam, drain)
    assert services.charge_saved(order=order).method == second.provider_id
    services.set_default_method(method=first, is_default=True)
    edit(order, 200)
    assert services.charge_saved(order=order).method == first.provider_id


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [(ALWAYS, "authentication_required"), (FAILING, "generic_decline")],
)
def test_declined_card_falls_back_to_the_pay_link(
    sam: Buyer,
    as_merchant: APIClient,
    simulator: StripeSimulator,
    drain: Drain,
    shopper: User,
    card: str,
    decline_code: str,
) -> None:
    owner = keep(sam)
    attached = attach(card, owner.provider_customer)
    SavedMethod.objects.filter(pk=owner.pk).update(provider_id=attached)
    order = owing(sam, drain)
    answer = as_merchant.post(url_of(order))
    drain()

    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    assert answer.json()["decline_code"] == decline_code
    assert Payment.objects.latest("pk").status == "failed"
    services.send_link_instead(payment_id=str(Payment.objects.latest("pk").public_id))
    drain()
    assert len(links_mailed()) == 1
    services.pay_by_link(link=PayLink.objects.get(), gateway_code="stripe", method=VISA)
    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_card_that_was_set_up_is_not_asked_about(
    sam: Buyer, simulator: StripeSimulator, drain: Drain
) -> None:
    buy(sam, method=ON_SETUP, save_method=True, return_url=BACK)
    simulator.complete_action(Payment.objects.get().provider_id or "")
    services.look_again(order=Order.objects.get())
    order = owing(sam, drain)
    assert services.charge_saved(order=order).status == "captured"


@pytest.mark.parametrize("outcome", ["paid", "declined"])
def test_lost_answer_is_found_later_and_charges_once(
    sam: Buyer, simulator: StripeSimulator, drain: Drain, outcome: str
) -> None:
    owner = keep(sam)
    if outcome == "declined":
        attached = attach(FAILING, owner.provider_customer)
        SavedMethod.objects.filter(pk=owner.pk).update(provider_id=attached)
    order, before = owing(sam, drain), sums(simulator)[0]
    simulator.add_fault(Fault("/v1/payment_intents", "POST", drop_after_execute=True, times=2))
    assert services.charge_saved(order=order).status == "created"
    with pytest.raises(services.PaymentPending):
        services.charge_saved(order=order)
    services.reconcile(now=timezone.now() + timedelta(minutes=3))
    drain()
    taken = sums(simulator)[0] - before
    assert taken == (500 if outcome == "paid" else 0)
    assert len(links_mailed()) == (0 if outcome == "paid" else 1)


def test_webhook_of_a_decline_comes_first(
    sam: Buyer,
    simulator: StripeSimulator,
    drain: Drain,
    deliver: Callable[..., Any],
) -> None:
    """The answer is lost, Stripe tells of the failed payment: nobody is there to try again."""
    owner = keep(sam)
    attached = attach(ALWAYS, owner.provider_customer)
    SavedMethod.objects.filter(pk=owner.pk).update(provider_id=attached)
    order = owing(sam, drain)
    simulator.add_fault(Fault("/v1/payment_intents", "POST", drop_after_execute=True, times=2))
    services.charge_saved(order=order)
    deliver(simulator.events("payment_intent.payment_failed")[-1])
    drain()
    payment = Payment.objects.latest("pk")
    assert (payment.status, payment.error_code) == ("failed", "authentication_required")
    assert len(links_mailed()) == 1


def test_nobody_is_charged_for_what_is_not_owed(
    sam: Buyer, api: APIClient, simulator: StripeSimulator, drain: Drain, shop: Shop
) -> None:
    keep(sam)
    paid = Order.objects.get()
    with pytest.raises(services.NothingOutstanding):
        services.charge_saved(order=paid)
    # Somebody else's order, who has nothing kept.
    guests = owing(Buyer(api), drain)
    with pytest.raises(services.NoSavedMethod):
        services.charge_saved(order=guests)
    order = owing(sam, drain)
    services.start_payment(order=order, gateway_code="stripe")
    with pytest.raises(services.PaymentPending):
        services.charge_saved(order=order)
    cancel(order=order)
    with pytest.raises(services.OrderNotPayable):
        services.charge_saved(order=order)
    assert not Payment.objects.filter(is_off_session=True).exists()


def test_customer_who_was_deleted_at_the_gateway_is_made_anew(
    sam: Buyer, simulator: StripeSimulator
) -> None:
    first = keep(sam)
    client: Any = gateway("stripe")
    client.client.v1.customers.delete(first.provider_customer)
    assert buy(sam, method=VISA, save_method=True).status_code == 402
    second = keep(sam)
    assert second.provider_customer != first.provider_customer
    assert keep(sam, "pm_card_mastercard").provider_customer == second.provider_customer


def test_staff_charge_by_a_button(
    sam: Buyer, merchant: User, client: Any, simulator: StripeSimulator, drain: Drain
) -> None:
    keep(sam)
    order = owing(sam, drain)
    client.force_login(merchant)
    page = client.get(f"/admin/orders/order/{order.pk}/change/")
    path = f"/admin/orders/order/{order.pk}/do/charge-saved/"
    assert path in page.content.decode()
    form = client.get(path)
    assert "€5.00 will be charged to Visa •••• 4242" in form.content.decode()
    once = form.context["form"]["once"].value()
    for _time in range(2):
        client.post(path, {"once": once})
    assert Payment.objects.filter(is_off_session=True, status="captured").count() == 1
    assert path not in client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    owner = client.get(f"/admin/customers/customer/{order.customer_id}/change/")
    assert "12/34" in owner.content.decode()


def test_button_tells_a_decline(
    sam: Buyer, merchant: User, client: Any, simulator: StripeSimulator, drain: Drain
) -> None:
    owner = keep(sam)
    attached = attach(ALWAYS, owner.provider_customer)
    SavedMethod.objects.filter(pk=owner.pk).update(provider_id=attached)
    order = owing(sam, drain)
    client.force_login(merchant)
    path = f"/admin/orders/order/{order.pk}/do/charge-saved/"
    told = client.post(path, {"once": "1"}, follow=True).content.decode()
    assert "the customer is sent a link to pay" in told
    drain()
    assert len(links_mailed()) == 1
