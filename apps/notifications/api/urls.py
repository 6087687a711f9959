"""Addresses of the notifications' API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.notifications.api.views import NotificationHistoryViewSet, NotificationView

storefront: list[URLPattern] = []

admin = [
    path("notifications/send/", NotificationView.as_view({"post": "create"})),
    path("notifications/history/", NotificationHistoryViewSet.as_view({"get": "list"})),
    path("notifications/stats/", NotificationView.as_view({"get": "stats"})),
]
