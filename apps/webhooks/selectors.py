"""Reads of webhooks."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint


def endpoint_pk(public_id: str) -> int | None:
    """None for one that is gone."""
    found = WebhookEndpoint.objects.filter(public_id=public_id)
    return found.values_list("pk", flat=True).first()


def endpoints_of(user: User) -> QuerySet[WebhookEndpoint]:
    """Those that somebody made, the newest first."""
    return WebhookEndpoint.objects.filter(created_by=user).order_by("-pk")


def log_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What it was told, or is to be, the newest first."""
    return endpoint.deliveries.order_by("-pk")
