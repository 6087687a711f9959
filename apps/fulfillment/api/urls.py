"""Addresses of the shipments' API, without prefix."""

from django.urls import path

from apps.fulfillment.api.printing import PrintFileView, PrintJobViewSet
from apps.fulfillment.api.views import CarrierWebhookView, FulfillmentView

_ONE = "fulfillments/<uuid:fulfillment_id>/"

storefront = [path("webhooks/carriers/<slug:carrier>/", CarrierWebhookView.as_view())]

admin = [
    path("orders/<str:number>/fulfill/", FulfillmentView.as_view({"post": "create"})),
    path("orders/<str:number>/shipments/", FulfillmentView.as_view({"post": "plan"})),
    path("fulfillments/together/", FulfillmentView.as_view({"post": "together"})),
    path("fulfillments/", FulfillmentView.as_view({"get": "list"})),
    path(_ONE, FulfillmentView.as_view({"get": "retrieve"})),
    path(f"{_ONE}ship/", FulfillmentView.as_view({"post": "ship"})),
    path(f"{_ONE}cancel/", FulfillmentView.as_view({"post": "cancel"})),
    path(f"{_ONE}duties/", FulfillmentView.as_view({"get": "duties"})),
    path(f"{_ONE}separate/", FulfillmentView.as_view({"post": "separate"})),
    path(f"{_ONE}tracking/", FulfillmentView.as_view({"put": "tracking"})),
    path(f"{_ONE}delivered/", FulfillmentView.as_view({"post": "delivered"})),
    path(f"{_ONE}outcome/", FulfillmentView.as_view({"post": "outcome"})),
    path(f"{_ONE}parcels/", FulfillmentView.as_view({"put": "parcels"})),
    path(f"{_ONE}labels/", FulfillmentView.as_view({"post": "labels"})),
    path("print-jobs/", PrintJobViewSet.as_view({"get": "list", "post": "create"})),
    path("print-jobs/<uuid:id>/", PrintJobViewSet.as_view({"get": "retrieve"})),
    path(
        "print-jobs/<uuid:id>/file/",
        PrintFileView.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path(f"{_ONE}void/", FulfillmentView.as_view({"post": "void"})),
]
