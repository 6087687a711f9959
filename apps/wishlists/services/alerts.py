"""Asking to be told, confirming it, giving it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import normalize_email
from apps.checkout.services import UnknownSKU
from apps.core.emails import normalised_email
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.ratelimit import NETWORK, Limit, hit_caller
from apps.customers.models import Customer
from apps.notifications.services import notify
from apps.products.models import Variant
from apps.stores.models import Store
from apps.wishlists.models import Alert
from apps.wishlists.selectors.alerts import Offer, alert_of, alert_url, offers

MAX_ALERTS = 100
# Guests' attempts in an hour: from one network, and for one mailbox.
PER_NETWORK = Limit("alert", by=NETWORK, most=30, seconds=3600)
PER_MAILBOX = Limit("alert", by="e-mail address", most=5, seconds=3600)
# Unconfirmed and told ones are forgotten then; they hold addresses of people.
CONFIRM_WITHIN, KEPT_AFTER_TELLING = timedelta(days=7), timedelta(days=30)


class AlreadyInStock(Conflict):
    code = "already_in_stock"
    message = _("It is in stock.")


class TargetNotLower(DomainError):
    code = "target_not_lower"
    message = _("It costs no more than that now.")


class TooManyAlerts(DomainError):
    code = "too_many_alerts"
    message = _("You wait for %d things already.") % MAX_ALERTS


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be told of. `target`, of a price alert: when it costs that or less.

    Minor units of `currency`; without it, when it costs less than now.
    """

    store: Store
    currency: str
    kind: str
    sku: str
    target: int | None = None


@transaction.atomic
def ask(*, wish: Wish, customer: Customer, language: str) -> Alert:
    """A customer wants to be told, at the address of their account.

    Raises UnknownSKU, AlreadyInStock, TargetNotLower, TooManyAlerts.
    """
    offer = _asked_of(wish, customer.group_id)
    mine = Alert.objects.filter(customer=customer).exclude(status=Alert.Status.TOLD)
    if mine.count() >= MAX_ALERTS:
        raise TooManyAlerts()
    alert = _row(wish, offer, email=customer.email, language=language)
    alert.customer, alert.status = customer, Alert.Status.WAITING
    _set_price(alert, wish, offer)
    alert.save()
    return alert


def ask_as_guest(*, wish: Wish, email: str, language: str) -> None:
    """A guest wants to be told: they are sent a mail to confirm it, once a day.

    Says nothing of the mailbox: whether it waits already, or has an account. Raises UnknownSKU,
    AlreadyInStock, TargetNotLower, RateLimited.
    """
    hit_caller(PER_NETWORK)
    PER_MAILBOX.hit(normalised_email(email))
    with transaction.atomic():
        offer = _asked_of(wish, None)
        alert = _row(wish, offer, email=email, language=language)
        if alert.status == Alert.Status.PENDING:
            _set_price(alert, wish, offer)
            alert.save()
            _mail_question(alert, offer)


def _asked_of(wish: Wish, group_id: int | None) -> Offer:
    named = Variant.objects.filter(sku=wish.sku[:100])
    found = offers(
        store=wish.store,
        currency=wish.currency,
        variants=named,
        at=timezone.now(),
        group_id=group_id,
    )
    if not found:
        raise UnknownSKU(field="sku")
    (offer,) = found.values()
    if wish.kind == Alert.Kind.STOCK and offer.is_available:
        raise AlreadyInStock()
    if wish.kind == Alert.Kind.PRICE and (wish.target or 0) >= offer.price:
        raise TargetNotLower(field="target_price")
    return offer


def _row(wish: Wish, offer: Offer, *, email: str, language: str) -> Alert:
    """The one alert of this mailbox for this; a new one if the last was told already."""
    key = {
        "kind": wish.kind,
        "store": wish.store,
        "variant": offer.variant,
        "email": normalize_email(email),
    }
    Alert.objects.filter(**key, status=Alert.Status.TOLD).delete()
    values = {"language": language[:10], "currency": wish.currency, **_prices(wish, offer)}
    return Alert.objects.get_or_create(**key, defaults=values)[0]


def _set_price(alert: Alert, wish: Wish, offer: Offer) -> None:
    alert.currency = wish.currency
    for name, value in _prices(wish, offer).items():
        setattr(alert, name, value)


def _prices(wish: Wish, offer: Offer) -> dict[str, int | None]:
    if wish.kind == Alert.Kind.STOCK:
        return {"seen_price": None, "threshold": None}
    threshold = offer.price - 1 if wish.target is None else wish.target
    return {"seen_price": offer.price, "threshold": threshold}


def _mail_question(alert: Alert, offer: Offer) -> None:
    store, today = alert.store, timezone.now().date()
    notify(
        kind="alerts/confirm",
        recipient=alert.email,
        language=alert.language,
        context={
            "store_name": store.name,
            "store_email": store.email,
            "is_price": alert.kind == Alert.Kind.PRICE,
            "name": offer.name,
            "alert_url": alert_url(alert),
        },
        dedupe_key=f"alert-confirm:{alert.public_id}:{today.isoformat()}",
    )


@transaction.atomic
def confirm_alert(*, token: str) -> Alert:
    """The mailbox is the guest's own: from now on the alert waits. Raises NotFound."""
    alert = alert_of(token)
    if Alert.objects.filter(pk=alert.pk, status=Alert.Status.PENDING).update(
        status=Alert.Status.WAITING, updated_at=timezone.now()
    ):
        alert.status = Alert.Status.WAITING
    return alert


@transaction.atomic
def give_up_alert(*, alert: Alert) -> None:
    """Somebody no longer wants to be told; nothing of it is kept."""
    if not Alert.objects.filter(pk=alert.pk).delete()[0]:
        raise NotFound()


def prune_alerts(*, now: datetime | None = None) -> int:
    """Forget what was never confirmed or was told long ago; the number of alerts."""
    now = now or timezone.now()
    pending = Alert.objects.filter(status=Alert.Status.PENDING, updated_at__lt=now - CONFIRM_WITHIN)
    told = Alert.objects.filter(status=Alert.Status.TOLD, updated_at__lt=now - KEPT_AFTER_TELLING)
    return pending.delete()[0] + told.delete()[0]
