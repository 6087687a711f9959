"""Addresses of webhooks, without prefix."""

from django.urls import path

from apps.webhooks.api.views import WebhookDeliveryViewSet, WebhookEndpointViewSet

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_HERE = "webhook-endpoints/<uuid:id>/"

admin = [
    path("webhook-endpoints/", WebhookEndpointViewSet.as_view(_MANY)),
    path(_HERE, WebhookEndpointViewSet.as_view(_ONE)),
    path(f"{_HERE}rotate/", WebhookEndpointViewSet.as_view({"post": "rotate"})),
    path(f"{_HERE}test/", WebhookEndpointViewSet.as_view({"post": "test"})),
    path(f"{_HERE}replay/", WebhookEndpointViewSet.as_view({"post": "replay"})),
    path("webhook-deliveries/", WebhookDeliveryViewSet.as_view({"get": "list"})),
    path("webhook-deliveries/<uuid:id>/", WebhookDeliveryViewSet.as_view({"get": "retrieve"})),
    path(
        "webhook-deliveries/<uuid:id>/replay/",
        WebhookDeliveryViewSet.as_view({"post": "replay"}),
    ),
]
