from django.urls import path

from apps.shipping.api.duties import DutyRateViewSet, DutyThresholdViewSet
from apps.shipping.api.holidays import HolidayViewSet
from apps.shipping.api.points import PickupPointsView, PickupPointViewSet
from apps.shipping.api.trying import TryView, ZoneCheckView
from apps.shipping.api.views import MethodViewSet, ZoneViewSet

storefront = [path("shipping/pickup-points/", PickupPointsView.as_view())]

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("shipping-zones/", ZoneViewSet.as_view(_MANY)),
    path("shipping-zones/<uuid:id>/", ZoneViewSet.as_view(_ONE)),
    path("shipping-zones/<uuid:id>/check/", ZoneCheckView.as_view({"get": "retrieve"})),
    path("shipping-methods/", MethodViewSet.as_view(_MANY)),
    path("shipping-methods/<slug:store>/<slug:code>/", MethodViewSet.as_view(_ONE)),
    path("shipping-try/", TryView.as_view({"get": "retrieve"})),
    path("pickup-points/", PickupPointViewSet.as_view(_MANY)),
    path("pickup-points/<uuid:id>/", PickupPointViewSet.as_view(_ONE)),
    path("duty-rates/", DutyRateViewSet.as_view(_MANY)),
    path("duty-rates/<uuid:id>/", DutyRateViewSet.as_view(_ONE)),
    path("duty-thresholds/", DutyThresholdViewSet.as_view(_MANY)),
    path("duty-thresholds/<uuid:id>/", DutyThresholdViewSet.as_view(_ONE)),
    path("holidays/", HolidayViewSet.as_view(_MANY)),
    path("holidays/<uuid:id>/", HolidayViewSet.as_view(_ONE)),
]
