"""The gateway's own form, and waiting for what it says."""

from __future__ import annotations

import pytest
import requests

from apps.orders.models import Order
from apps.payments.models import Payment
from tests.shop.test_checkout import pay, ready

__all__ = ["ready"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
OFFICIAL = "https://api.stripe.com"


@pytest.fixture
def begun(ready, simulator):
    """An order whose card is asked for: its page, and who sees it."""
    return ready, pay(ready, "stripe:")["Location"]


def test_form_is_on_a_page_of_its_own(begun, simulator):
    visitor, address = begun
    order, payment = Order.objects.get(), Payment.objects.get()
    assert address == f"/orders/{order.number}/pay/?token={order.token}"
    page = visitor.get(address)
    text = page.content.decode()
    assert f'data-secret="{payment.client_secret}"' in text
    assert f'<script src="{simulator.url}/v3/" defer></script>' in text
    assert f'data-return-url="http://testserver/orders/{order.number}/?' in text
    assert "no-store" in page["Cache-Control"]
    # Whoever has no JavaScript reads that, and finds the other ways.
    assert "<noscript>" in text
    other = visitor.get(address.replace("pay/", ""))
    assert "manual:" in [value for value, _name in other.context["methods"]]


def test_policy_lets_the_script_in_on_that_page_alone(begun, simulator):
    visitor, address = begun
    assert simulator.url in visitor.get(address)["Content-Security-Policy"]
    for path in ("/", "/cart/", address.replace("pay/", "")):
        assert simulator.url not in visitor.get(path)["Content-Security-Policy"]


def test_policy_names_stripe(begun, settings):
    visitor, address = begun
    settings.STRIPE_API_BASE = OFFICIAL
    page = visitor.get(address)
    policy = dict(
        part.strip().partition(" ")[::2] for part in page["Content-Security-Policy"].split(";")
    )
    assert b'<script src="https://js.stripe.com/v3/" defer></script>' in page.content
    assert policy["script-src"] == "'self' https://js.stripe.com https://*.js.stripe.com"
    assert "https://hooks.stripe.com" in policy["frame-src"]
    assert policy["connect-src"] == f"'self' {OFFICIAL}"


def test_form_is_only_for_what_waits_and_for_who_may_see_it(begun, stranger):
    visitor, address = begun
    assert visitor.get(address.partition("?")[0]).status_code == 404
    assert visitor.post(address).status_code == 405
    Payment.objects.update(status=Payment.Status.PROCESSING)
    assert visitor.get(address)["Location"] == address.replace("pay/", "")


def test_without_a_publishable_key_there_is_no_form(ready, simulator, settings):
    settings.STRIPE_PUBLISHABLE_KEY = ""
    offered = [value for value, _name in ready.get("/checkout/payment/").context["methods"]]
    assert offered[0] == "manual:"
    assert "stripe:" not in offered
    assert "stripe:pm_card_visa" in offered


def test_who_comes_back_waits_until_the_gateway_knows(begun, simulator):
    visitor, address = begun
    page_of = address.replace("pay/", "")
    status = address.replace("pay/", "status/")
    back = visitor.get(f"{page_of}&returned=1&redirect_status=succeeded")["Location"]
    assert back == f"{page_of}&checking=1"
    page = visitor.get(back)
    assert (page.context["state"], page.context["checking"]) == ("waiting", True)
    assert visitor.get(status).json() == {"state": "waiting"}
    confirm(simulator)
    assert visitor.get(f"{page_of}&returned=1&redirect_status=succeeded")["Location"] == page_of
    assert visitor.get(status).json() == {"state": "decided"}
    assert b"wait.js" not in visitor.get(page_of).content


def confirm(simulator) -> None:
    """What Stripe.js does with a card that pays."""
    payment = Payment.objects.get()
    requests.post(
        f"{simulator.url}/v1/payment_intents/{payment.provider_id}/confirm",
        data={
            "key": simulator.publishable_key,
            "client_secret": payment.client_secret,
            "return_url": "https://shop.example.com/",
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": "4242424242424242",
        },
        timeout=5,
    ).raise_for_status()
