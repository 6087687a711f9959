"""Webhooks for staff, and for the machines they let."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.webhooks import services
from apps.webhooks.api.serializers import (
    NewWebhookEndpointSerializer,
    ReplayedSerializer,
    ReplaySerializer,
    SecretRotationSerializer,
    WebhookDeliverySerializer,
    WebhookEndpointChangeSerializer,
    WebhookEndpointInputSerializer,
    WebhookEndpointSerializer,
)
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint

_TAGS = ["webhooks"]


def _data(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found


class WebhookEndpointViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """Whom the shop tells of its events."""

    permission_classes = [Staff]
    required_permissions = {
        "list": "webhooks.view_webhookendpoint",
        "retrieve": "webhooks.view_webhookendpoint",
        "create": "webhooks.add_webhookendpoint",
        "partial_update": "webhooks.change_webhookendpoint",
        "rotate": "webhooks.change_webhookendpoint",
        "test": "webhooks.change_webhookendpoint",
        "replay": "webhooks.change_webhookendpoint",
        "destroy": "webhooks.delete_webhookendpoint",
    }
    serializer_class = WebhookEndpointSerializer
    queryset = WebhookEndpoint.objects.all()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List webhook endpoints", tags=_TAGS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a webhook endpoint", tags=_TAGS)
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a webhook endpoint",
        description="It is told of these events of all stores, signed as Standard Webhooks says."
        " The secret is shown only now.",
        request=WebhookEndpointInputSerializer,
        responses={201: NewWebhookEndpointSerializer},
        tags=_TAGS,
    )
    def create(self, request: Any) -> Response:
        data = _data(WebhookEndpointInputSerializer(data=request.data))
        endpoint, secret = services.create_endpoint(created_by=request.user, **data)
        return Response(_with_secret(endpoint, secret), status=201)

    @extend_schema(
        summary="Change a webhook endpoint",
        description="With `is_active` it is stopped or told again, what waited at once.",
        request=WebhookEndpointChangeSerializer,
        responses={200: WebhookEndpointSerializer},
        tags=_TAGS,
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        endpoint = self.get_object()
        data = _data(WebhookEndpointChangeSerializer(data=request.data, partial=True))
        present = {name: getattr(endpoint, name) for name in ("name", "url", "events", "is_active")}
        endpoint = services.change_endpoint(endpoint=endpoint, **{**present, **data})
        return Response(WebhookEndpointSerializer(endpoint).data)

    @extend_schema(
        summary="Give a webhook endpoint a new secret",
        description="It is shown only now. The former one signs as well for a while.",
        request=SecretRotationSerializer,
        responses={200: NewWebhookEndpointSerializer},
        tags=_TAGS,
    )
    def rotate(self, request: Any, **kwargs: Any) -> Response:
        endpoint = self.get_object()
        data = _data(SecretRotationSerializer(data=request.data))
        secret = services.rotate_secret(endpoint=endpoint, **data)
        return Response(_with_secret(endpoint, secret))

    @extend_schema(
        summary="Send a webhook endpoint a test event",
        request=None,
        responses={201: WebhookDeliverySerializer},
        tags=_TAGS,
    )
    def test(self, request: Any, **kwargs: Any) -> Response:
        delivery = services.send_test(endpoint=self.get_object())
        return Response(WebhookDeliverySerializer(delivery).data, status=201)

    @extend_schema(
        summary="Tell a webhook endpoint once more",
        description="What was given up (or has another `status`), under the same event ids.",
        request=ReplaySerializer,
        responses={200: ReplayedSerializer},
        tags=_TAGS,
    )
    def replay(self, request: Any, **kwargs: Any) -> Response:
        endpoint = self.get_object()
        data = _data(ReplaySerializer(data=request.data))
        wanted = endpoint.deliveries.filter(status=data["status"])
        if since := data.get("since"):
            wanted = wanted.filter(created_at__gte=since)
        return Response({"replayed": services.replay(endpoint=endpoint, deliveries=wanted)})

    @extend_schema(
        summary="Delete a webhook endpoint",
        description="With what waits for it, and its log.",
        responses={204: None},
        tags=_TAGS,
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_endpoint(endpoint=self.get_object())
        return Response(status=204)


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**WebhookEndpointSerializer(endpoint).data, "secret": secret}


class WebhookDeliveryFilter(filters.FilterSet):
    endpoint = filters.UUIDFilter(field_name="endpoint__public_id")

    class Meta:
        model = WebhookDelivery
        fields = ("endpoint", "status", "event", "event_id")


class WebhookDeliveryViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """What was told to whom, for 30 days."""

    permission_classes = [Staff]
    required_permissions = {
        "list": "webhooks.view_webhookdelivery",
        "retrieve": "webhooks.view_webhookdelivery",
        "replay": "webhooks.change_webhookdelivery",
    }
    serializer_class = WebhookDeliverySerializer
    filterset_class = WebhookDeliveryFilter
    queryset = WebhookDelivery.objects.select_related("endpoint")
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List webhook deliveries", tags=_TAGS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a webhook delivery", tags=_TAGS)
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Tell it once more",
        description="Under the same event id, whatever became of it.",
        request=None,
        responses={200: WebhookDeliverySerializer},
        tags=_TAGS,
    )
    def replay(self, request: Any, **kwargs: Any) -> Response:
        delivery = self.get_object()
        mine = WebhookDelivery.objects.filter(pk=delivery.pk)
        services.replay(endpoint=delivery.endpoint, deliveries=mine)
        delivery.refresh_from_db()
        return Response(WebhookDeliverySerializer(delivery).data)
