"""Shapes of the notifications' API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.notifications.models import Notification


class MessageSerializer(StrictSerializer):
    recipient = serializers.EmailField(max_length=254)
    subject = serializers.CharField(max_length=250)
    body = serializers.CharField(max_length=20_000, help_text="Plain text.")
    language = serializers.ChoiceField(settings.LANGUAGES, required=False)


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Notification
        fields = (
            "id",
            "kind",
            "channel",
            "sender",
            "recipient",
            "language",
            "subject",
            "status",
            "attempts",
            "last_error",
            "created_at",
            "sent_at",
        )
        read_only_fields = fields


class DayFiguresSerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(Notification.Status.choices)
    count = serializers.IntegerField()


class StatsSerializer(serializers.Serializer[Any]):
    results = DayFiguresSerializer(many=True)
