"""Webhook endpoints and deliveries, in and out."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import MOST_OVERLAP, TOPICS

_Status = WebhookDelivery.Status


class WebhookEndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    events = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = WebhookEndpoint
        fields = (
            *("id", "name", "url", "events", "is_active", "failing_since"),
            *("previous_expires_at", "created_at"),
        )
        read_only_fields = fields


class NewWebhookEndpointSerializer(WebhookEndpointSerializer):
    secret = serializers.CharField(read_only=True, help_text="Shown this once.")

    class Meta(WebhookEndpointSerializer.Meta):
        fields = (*WebhookEndpointSerializer.Meta.fields, "secret")
        read_only_fields = fields


class WebhookEndpointInputSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500, help_text="https:// only.")
    events = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=100,
        help_text="Out of: " + ", ".join(TOPICS) + ".",
    )


class WebhookEndpointChangeSerializer(WebhookEndpointInputSerializer):
    is_active = serializers.BooleanField(required=False)


class SecretRotationSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=MOST_OVERLAP,
        help_text="How long the former secret signs as well; 0: not at all.",
    )


class ReplaySerializer(StrictSerializer):
    status = serializers.ChoiceField(
        _Status.choices, default=_Status.FAILED, help_text="Those given up, unless told."
    )
    since = serializers.DateTimeField(required=False, help_text="Those of events since then.")


class ReplayedSerializer(serializers.Serializer[Any]):
    replayed = serializers.IntegerField()


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    endpoint = serializers.UUIDField(source="endpoint.public_id", read_only=True)
    body = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = (
            *("id", "endpoint", "event_id", "event", "body", "status", "attempts", "due_at"),
            *("answer", "error", "attempted_at", "created_at"),
        )
        read_only_fields = fields

    def get_body(self, delivery: WebhookDelivery) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(delivery.body)
        return told
