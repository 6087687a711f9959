"""Making, changing, rotating, stopping and resuming endpoints."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.services.api_keys import MOST_OVERLAP, InvalidOverlap
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.secrets import seal
from apps.notifications.services import notify
from apps.stores.selectors import default_store
from apps.webhooks.events import DeliveriesQueued
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services.signing import new_secret
from apps.webhooks.services.topics import TOPICS

# Each event is written once for each endpoint that wants it.
MOST_ENDPOINTS = 50


class InvalidURL(DomainError):
    code = "invalid_url"
    message = _("An address with https:// is needed, without a user name.")


class UnknownEvents(DomainError):
    """`extra["unknown"]` lists the names that aren't events."""

    code = "unknown_events"
    message = _("Choose events out of those there are.")


class TooManyEndpoints(Conflict):
    code = "too_many_endpoints"
    message = _("There are %d endpoints already.") % MOST_ENDPOINTS


class ForAllStores(DomainError):
    code = "permission_denied"
    status = 403
    message = _("Webhooks tell of all stores; you are limited to some.")


@transaction.atomic
def create_endpoint(
    *, created_by: User, name: str, url: str, events: Collection[str]
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and the secret that it verifies by, told only now.

    Raises InvalidURL, UnknownEvents, TooManyEndpoints, ForAllStores.
    """
    if current_actor().limits:
        raise ForAllStores()
    if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints()
    secret = new_secret()
    endpoint = WebhookEndpoint.objects.create(
        name=name,
        url=check_url(url),
        events=check_events(events),
        secrets=seal({"secret": secret}),
        created_by=created_by,
    )
    audit.record("add", endpoint, {"url": endpoint.url, "events": endpoint.events})
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *, endpoint: WebhookEndpoint, name: str, url: str, events: Collection[str], is_active: bool
) -> WebhookEndpoint:
    """Say anew what it is. Made active again, it is told at once what waits.

    Raises InvalidURL, UnknownEvents.
    """
    # A form has changed `endpoint` already.
    stored = WebhookEndpoint.objects.get(pk=endpoint.pk)
    wanted = {
        "name": name,
        "url": check_url(url),
        "events": check_events(events),
        "is_active": is_active,
    }
    changes = {
        key: [getattr(stored, key), value]
        for key, value in wanted.items()
        if getattr(stored, key) != value
    }
    if changes:
        if "is_active" in changes and is_active:
            wanted["failing_since"] = None
            waiting = stored.deliveries.filter(status=WebhookDelivery.Status.WAITING)
            waiting.update(due_at=timezone.now())
            publish(DeliveriesQueued(str(stored.public_id)))
        WebhookEndpoint.objects.filter(pk=stored.pk).update(**wanted, updated_at=timezone.now())
        audit.record("change", stored, changes)
    endpoint.refresh_from_db()
    return endpoint


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint, overlap_hours: int) -> str:
    """A new secret, told only now. For `overlap_hours` (0 to 168) the former one signs as well, so
    that receivers change over without losing anything; one of an earlier rotation ends.

    Raises InvalidOverlap, and Conflict where somebody else rotates at the same time.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP:
        raise InvalidOverlap(field="overlap_hours")
    secret, before = new_secret(), endpoint.secrets
    known = {"secret": secret}
    if overlap_hours:
        known["previous"] = before.open()["secret"]
    rotated = WebhookEndpoint.objects.filter(pk=endpoint.pk, secrets=before).update(
        secrets=seal(known),
        previous_expires_at=timezone.now() + timedelta(hours=overlap_hours),
        updated_at=timezone.now(),
    )
    if not rotated:
        raise Conflict()
    audit.record("rotate_webhook_secret", endpoint, {"hours": overlap_hours})
    endpoint.refresh_from_db()
    return secret


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Delete it with what waits for it, and its log."""
    audit.record("delete", endpoint, {"url": endpoint.url})
    endpoint.delete()


@transaction.atomic
def stop_endpoint(*, endpoint: WebhookEndpoint, why: str) -> None:
    """Tell it nothing any more until somebody makes it active, and mail whoever made it."""
    stopped = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True)
    if not stopped.update(is_active=False, updated_at=timezone.now()):
        return
    audit.record("stop_webhook", endpoint, {"why": why})
    if endpoint.created_by is None:
        return
    store = default_store()
    notify(
        kind="webhooks/stopped",
        recipient=endpoint.created_by.email,
        language=store.language,
        context={
            "store_name": store.name,
            "name": endpoint.name,
            "url": endpoint.url,
            "why": why,
        },
        dedupe_key=f"webhook-stopped:{endpoint.public_id}:{timezone.now().isoformat()}",
    )


def check_url(url: str) -> str:
    """`url`, if it may be told anything. Where it leads is checked again whenever it is called."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidURL(field="url") from error
    schemes = {"https", "http"} if settings.HTTP_ALLOW_PRIVATE_ADDRESSES else {"https"}
    has_user = parts.username is not None or parts.password is not None
    if parts.scheme not in schemes or not parts.hostname or has_user or port == 0:
        raise InvalidURL(field="url")
    return parts.geturl()


def check_events(events: Collection[str]) -> list[str]:
    """Their names, once each. Raises UnknownEvents, also for none."""
    unknown = sorted(set(events) - {*TOPICS})
    if unknown or not events:
        raise UnknownEvents(field="events", extra={"unknown": unknown, "known": list(TOPICS)})
    return sorted(set(events))
