"""Addresses of the shipments' API, without prefix."""

from django.urls import path

from apps.fulfillment.api.views import FulfillmentView

_ONE = "fulfillments/<uuid:fulfillment_id>/"

storefront: list = []

admin = [
    path("orders/<str:number>/fulfill/", FulfillmentView.as_view({"post": "create"})),
    path(_ONE, FulfillmentView.as_view({"get": "retrieve"})),
    path(f"{_ONE}tracking/", FulfillmentView.as_view({"put": "tracking"})),
    path(f"{_ONE}delivered/", FulfillmentView.as_view({"post": "delivered"})),
]
