"""Messages to people, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.notifications.api.filters import NotificationFilter
from apps.notifications.api.serializers import (
    MessageSerializer,
    NotificationSerializer,
    StatsSerializer,
)
from apps.notifications.models import Notification
from apps.notifications.selectors import figures_per_day
from apps.notifications.services import send_message
from apps.stores.selectors import current_store

MAX_DAYS = 366


class NotificationHistoryViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "notifications.view_notification"}
    queryset = Notification.objects.defer("body_text", "body_html")
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    ordering_fields = {"created": "created_at"}

    @extend_schema(summary="Messages sent and waiting", tags=["notifications"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class NotificationView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "create": "notifications.add_notification",
        "stats": "notifications.view_notification",
    }
    idempotent = frozenset({"create"})

    def allowed_query_params(self) -> set[str]:
        return {"days"} if self.action == "stats" else set()

    @extend_schema(
        summary="Send a message",
        description="Plain text, in the store's mail design. Sent within seconds; the history"
        " tells how it went.",
        request=MessageSerializer,
        responses={201: NotificationSerializer},
        tags=["notifications"],
    )
    def create(self, request: Any) -> Response:
        data = MessageSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        message = send_message(
            store=current_store(request), key=self.idempotency_digest, **data.validated_data
        )
        return Response(NotificationSerializer(message).data, status=201)

    @extend_schema(
        summary="Messages per day, kind and status",
        parameters=[
            OpenApiParameter(
                "days",
                {"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": 30},
                description="How many days back, in UTC.",
            )
        ],
        responses={200: StatsSerializer},
        tags=["notifications"],
    )
    def stats(self, request: Any) -> Response:
        figures = figures_per_day(days=_days(request.query_params.get("days", "30")))
        return Response(StatsSerializer({"results": figures}).data)


def _days(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:6]) <= MAX_DAYS):
        raise ValidationError({"days": [_("A number from 1 to %d.") % MAX_DAYS]})
    return int(raw)
