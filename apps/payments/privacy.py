"""What is personal of payments. Amounts, and why money moved, are books of the business."""

from django.db.models import Q

from apps.core.personal import Person, Reason, Where, deleted, emptied, impersonal, lasts
from apps.orders.models import OrderLine
from apps.payments.models import (
    Capture,
    Dispute,
    GatewayAccount,
    PayLink,
    Payment,
    PaymentEntry,
    Payout,
    PayoutLine,
    ProviderEvent,
    ReconciliationDifference,
    Refund,
    SavedMethod,
    StoredValue,
    StoredValueEntry,
)

_OF_ORDER = Where(customer="order__customer", email="order__email")
_OF_PAYMENT = Where(customer="payment__order__customer", email="payment__order__email")


def _about_payments(person: Person) -> Q:
    """What a gateway told of a person's payments, refunds and cards, by the ids it has for them."""
    mine = _OF_ORDER.of(person)
    payments = Payment.objects.filter(mine)
    refunds = Refund.objects.filter(payment__in=payments)
    named = Q(provider_id__in=payments.exclude(provider_id="").values("provider_id"))
    return named | Q(provider_id__in=refunds.exclude(provider_id="").values("provider_id"))


def _bought(person: Person) -> Q:
    """Gift cards that a person bought: their name and their words are on them."""
    lines = OrderLine.objects.filter(_OF_ORDER.of(person)).exclude(gift_card={})
    found = Q(pk__in=[])
    for line in lines.values_list("public_id", flat=True):
        found |= Q(reference__startswith=f"order-line:{line}:")
    return found


impersonal(GatewayAccount, Payout)
emptied(
    Payment,
    _OF_ORDER,
    forgets={
        "return_url": "",
        "provider_customer": "",
        "client_secret": "",
        "redirect_url": "",
        "error_message": "",
    },
    plain="gateway provider_id method currency error_code",
    hidden="client_secret",
    waits=True,
)
emptied(PaymentEntry, _OF_PAYMENT, forgets={}, plain="reason", hidden="actor", waits=True)
emptied(Capture, _OF_PAYMENT, forgets={"error_message": ""}, waits=True)
emptied(
    Refund,
    _OF_PAYMENT,
    forgets={"error_message": ""},
    keeps={"reason": ""},
    reason=Reason.TAX,
    country="payment__order__store__country",
    plain="provider_id",
    waits=True,
)
emptied(Dispute, _OF_PAYMENT, forgets={}, plain="provider_id reason status", waits=True)
emptied(
    PayoutLine,
    _OF_PAYMENT,
    forgets={"description": ""},
    plain="provider_id reference",
    waits=True,
)
emptied(
    ReconciliationDifference,
    _OF_PAYMENT,
    forgets={"note": ""},
    hidden="decided_by",
    waits=True,
)
emptied(PayLink, _OF_ORDER, forgets={}, plain="open_key", hidden="token", waits=True)
# The balance is still owed to whoever has the code; and to a customer, until it is paid out.
emptied(
    StoredValue,
    Where(customer="customer", email="recipient_email", also=_bought),
    forgets={"recipient_email": "", "sender_name": "", "message": ""},
    plain="last4 account_key language reference",
    hidden="code_index",
    waits=True,
)
emptied(
    StoredValueEntry,
    Where(customer="stored_value__customer"),
    forgets={},
    keeps={"reason": ""},
    reason=Reason.TAX,
    country="stored_value__store__country",
    plain="key reference",
    hidden="actor",
    waits=True,
)
emptied(
    ProviderEvent,
    Where(mentions=("payload",), also=_about_payments),
    forgets={"payload": {}, "note": ""},
    plain="gateway event_id type provider_id",
    waits=True,
)
lasts(
    ProviderEvent,
    days=180,
    rows=Q(status__in=(ProviderEvent.Status.DONE, ProviderEvent.Status.IGNORED)),
    forgets={"payload": {}},
)
# First its gateway forgets it (`services.saved_methods`), then we do.
deleted(
    SavedMethod,
    Where(customer="customer"),
    hidden="provider_customer provider_id",
    open=Q(pk__gt=0),
)
