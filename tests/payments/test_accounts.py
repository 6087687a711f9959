"""Payment accounts by rows: whose keys are used, who sees them, and what a store offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core.models import AuditEntry
from apps.orders.models import Order
from apps.payments import services
from apps.payments.gateways import UnknownGateway
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.models import GatewayAccount, Payment, ProviderEvent
from apps.payments.selectors import chosen_gateway, offered_gateways
from apps.shop.pages.checkout import payment_methods
from apps.stores.models import Store
from tests.factories.stores import StoreFactory
from tests.flows.conftest import Buyer, buyer, paypal, shop
from tests.payments.gateways import PayPalBench

__all__ = ["buyer", "paypal", "shop"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
BACK = "https://shop.example/done"


def _account(
    gateway: str = "paypal", store: Store | None = None, keys: Any = None, **changes: Any
) -> GatewayAccount:
    return services.save_account(
        account=GatewayAccount(),
        changes={"gateway": gateway, "store": store, **changes},
        credentials=keys or {},
    )


def _keys(paypal: PayPalSimulator) -> dict[str, str]:
    return {
        "PAYPAL_CLIENT_ID": paypal.client_id,
        "PAYPAL_CLIENT_SECRET": paypal.client_secret,
        "PAYPAL_WEBHOOK_ID": paypal.webhook_id,
        "PAYPAL_API_BASE": paypal.url,
    }


def _offered(store: Store) -> list[str]:
    return [gateway.code for gateway, _account in offered_gateways(store.pk)]


def test_an_order_is_paid_by_its_stores_account(
    buyer: Buyer,
    paypal: PayPalSimulator,
    settings: Any,
    api: APIClient,
    drain: Callable[[], int],
) -> None:
    """The settings know another PayPal, which isn't asked; also by the webhook, and later."""
    settings.PAYPAL_CLIENT_ID, settings.PAYPAL_API_BASE = "nobody", "http://127.0.0.1:9"
    store = Store.objects.get(is_default=True)
    _account(keys={"PAYPAL_CLIENT_ID": "x", "PAYPAL_CLIENT_SECRET": "y"})
    account = _account(store=store, keys=_keys(paypal))
    settings.PAYPAL_WEBHOOK_ID = ""
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    payment = Payment.objects.get()
    assert payment.account == account
    paypal.approve(payment.provider_id or "")
    GatewayAccount.objects.filter(store=None).delete()
    answer = PayPalBench(paypal).deliver(api, paypal.events("CHECKOUT.ORDER.APPROVED")[0])
    drain()
    assert (answer.status_code, ProviderEvent.objects.get().account) == (204, account)
    assert Order.objects.get().payment_status == "paid"

    # Switched off, it is offered no more, and gives back what it took.
    services.save_account(account=account, changes={"is_enabled": False}, credentials={})
    assert "paypal" not in _offered(store)
    services.refund(payment=Payment.objects.get())
    assert paypal.state()["refunded"] == {"EUR": "16.95"}


def test_a_stores_rows_come_before_those_of_all(
    store: Store, paypal: PayPalSimulator, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = ""
    other = StoreFactory(code="other")
    assert _offered(store) == ["manual", "paypal"]
    everywhere = _account(keys=_keys(paypal), position=0)
    own = _account(store=store, keys=_keys(paypal), position=1)
    _account("manual", position=2)
    found = [chosen_gateway(each.pk, "paypal")[1] for each in (store, other)]
    assert (found, _offered(store)) == ([own, everywhere], ["paypal", "manual"])
    services.save_account(account=own, changes={"is_enabled": False}, credentials={})
    assert (_offered(store), _offered(other)) == (["manual"], ["paypal", "manual"])
    with pytest.raises(UnknownGateway):
        chosen_gateway(store.pk, "paypal")


def test_an_accounts_keys_are_not_mixed_with_the_settings(
    store: Store, paypal: PayPalSimulator
) -> None:
    _account(store=store, keys={"PAYPAL_CLIENT_ID": "theirs"})
    assert "paypal" not in _offered(store)


def test_titles_and_tests_are_told_to_shoppers(store: Store, paypal: PayPalSimulator) -> None:
    _account(keys=_keys(paypal), titles={"de": "PayPal oder Lastschrift"}, is_test=True)
    with override("de"):
        names = [str(name) for value, name in payment_methods(store.pk) if value == "paypal:"]
    assert names[0].startswith("PayPal oder Lastschrift (")
    with override("es"):
        [name] = [str(name) for value, name in payment_methods(store.pk) if value == "paypal:"]
    assert name.startswith("PayPal (")


def test_gift_cards_and_unknown_names_are_refused(store: Store) -> None:
    for gateway, keys in (("gift_card", {}), ("nobody", {}), ("stripe", {"PASSWORD": "x"})):
        with pytest.raises(services.InvalidAccount):
            _account(gateway, keys=keys)


def test_owner_writes_keys_and_nobody_reads_them(
    merchant: User, readonly_staff: User, store: Store
) -> None:
    owner, url = Client(), "/admin/payments/gatewayaccount/"
    owner.force_login(merchant)
    plain = {"store": "", "gateway": "stripe", "position": "0", "is_enabled": "on"}
    added = owner.post(f"{url}add/", {**plain, "title_en": "Card"})
    account = GatewayAccount.objects.get()
    change = f"{url}{account.pk}/change/"
    keys = {"STRIPE_SECRET_KEY": "sk_test_very_secret", "STRIPE_API_BASE": "http://127.0.0.1:9"}
    saved = owner.post(change, {**plain, **keys, "title_en": "Card"})
    again = owner.post(change, {**plain, "position": "3", "title_en": "Cards"})
    page = owner.get(change).content.decode()

    assert [answer.status_code for answer in (added, saved, again)] == [302, 302, 302]
    account.refresh_from_db()
    assert (account.position, account.titles) == (3, {"en": "Cards"})
    # What wasn't written again stays; an option that was emptied goes.
    assert account.credentials.open() == {"STRIPE_SECRET_KEY": "sk_test_very_secret"}
    log = " ".join(str(entry.changes) for entry in AuditEntry.objects.all())
    assert "very_secret" not in page + log
    assert "STRIPE_SECRET_KEY" in log
    assert "set; write to replace it" in page
    other = Client()
    other.force_login(readonly_staff)
    assert other.get(change).status_code == 403
