"""Shipments, for staff and for carriers' systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiTypes, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.core.api.parsers import RawParser
from apps.core.api.permissions import Public, Staff
from apps.core.api.views import BaseApi, BaseViewSet
from apps.core.errors import NotFound
from apps.core.scopes import scoped
from apps.fulfillment import services
from apps.fulfillment.api.filters import FulfillmentFilter
from apps.fulfillment.api.serializers import (
    FulfillmentSerializer,
    LabelInput,
    OutcomeInput,
    ParcelsInput,
    PlanInput,
    PlannedSerializer,
    ShipInput,
    ShipmentDutiesSerializer,
    TogetherInput,
    TrackingInput,
)
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors import duties_paid, shipment_duties, shipments_for_reading
from apps.orders.models import Order
from apps.orders.selectors import order_for_staff
from apps.orders.services.bulk import UnknownOrders
from apps.shipping.selectors import duties_json

_EVENTS = {"delivered": "deliver", "failed": "fail", "returned": "return"}


def _read(form: Any) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    data = dict(form.validated_data)
    if "lines" in data:
        lines = data.pop("lines")
        data["quantities"] = {str(line["id"]): line["quantity"] for line in lines}
        if len(data["quantities"]) != len(lines):
            raise ValidationError({"lines": [_("Each line once.")]})
    if "parcels" in data:
        data["parcels"] = [services.ParcelData(**parcel) for parcel in data["parcels"]]
    return data


@extend_schema_view(list=extend_schema(summary="Shipments, newest first"))
class FulfillmentView(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "fulfillment.view_fulfillment",
        "retrieve": "fulfillment.view_fulfillment",
        "duties": "fulfillment.view_fulfillment",
        **dict.fromkeys(
            (
                *("create", "plan", "ship", "cancel", "tracking", "delivered"),
                *("outcome", "parcels", "labels", "void", "together", "separate"),
            ),
            "fulfillment.ship_order",
        ),
    }
    idempotent = frozenset(
        {"create", "plan", "ship", "cancel", "labels", "void", "together", "separate"}
    )
    serializer_class = FulfillmentSerializer
    filterset_class = FulfillmentFilter

    def get_queryset(self) -> QuerySet[Fulfillment]:
        return scoped(shipments_for_reading().order_by("-pk"))

    def _shipment(self, fulfillment_id: Any) -> Fulfillment:
        shipment = self.get_queryset().filter(public_id=fulfillment_id).first()
        if shipment is None:
            raise NotFound()
        return shipment

    def _answer(self, fulfillment_id: Any, status: int = 200) -> Response:
        shipment = self._shipment(fulfillment_id)
        return Response(FulfillmentSerializer(shipment).data, status=status)

    def _answer_all(self, made: Sequence[Fulfillment]) -> Response:
        shown = self.get_queryset().filter(pk__in=[shipment.pk for shipment in made])
        planned = FulfillmentSerializer(shown.order_by("pk"), many=True).data
        return Response({"results": planned}, status=201)

    @extend_schema(
        summary="Ship an order, or some of its pieces",
        request=ShipInput,
        responses={201: FulfillmentSerializer},
    )
    def create(self, request: Any, number: str) -> Response:
        data = _read(ShipInput(data=request.data))
        shipment = services.fulfill(order=order_for_staff(number), **data)
        return self._answer(shipment.public_id, status=201)

    @extend_schema(
        summary="Plan shipments of an order",
        description="Sets pieces aside; nothing leaves yet. With nothing said, all that is left, a"
        " shipment for each location that it was promised at.",
        request=PlanInput,
        responses={201: PlannedSerializer},
    )
    def plan(self, request: Any, number: str) -> Response:
        data = _read(PlanInput(data=request.data))
        order = order_for_staff(number)
        made = [services.plan(order=order, **data)] if data else services.plan_whole(order=order)
        return self._answer_all(made)

    @extend_schema(
        summary="Ship orders together",
        description="Several orders of one customer, to one address, in one parcel: what is left"
        " of them is planned, and what leaves from the same location without a label yet shares a"
        " parcel. From then on label, tracking and outcome of one are those of all.",
        request=TogetherInput,
        responses={201: PlannedSerializer},
    )
    def together(self, request: Any) -> Response:
        numbers = set(_read(TogetherInput(data=request.data))["orders"])
        found = list(scoped(Order.objects.filter(number__in=numbers)))
        if len(found) < len(numbers):
            raise UnknownOrders(field="orders")
        return self._answer_all(services.ship_together(orders=found))

    @extend_schema(
        summary="Give a planned shipment its own parcel",
        description="The others in its parcel stay together.",
        request=None,
        responses=FulfillmentSerializer,
    )
    def separate(self, request: Any, fulfillment_id: Any) -> Response:
        services.separate(shipment=self._shipment(fulfillment_id))
        return self._answer(fulfillment_id)

    @extend_schema(summary="Get a shipment", responses=FulfillmentSerializer)
    def retrieve(self, request: Any, fulfillment_id: Any) -> Response:
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Estimate a shipment's duties",
        description="Of all in its parcels, by the shop's table of duty rates. `null` where it"
        " doesn't leave its customs area.",
        responses=ShipmentDutiesSerializer,
    )
    def duties(self, request: Any, fulfillment_id: Any) -> Response:
        shipment = self._shipment(fulfillment_id)
        found = shipment_duties(shipment, timezone.now().date())
        if found is None:
            return Response({"duties": None})
        terms = "DDP" if duties_paid(shipment) else "DAP"
        return Response({"duties": duties_json(found, terms)})

    @extend_schema(
        summary="Ship what was planned", request=TrackingInput, responses=FulfillmentSerializer
    )
    def ship(self, request: Any, fulfillment_id: Any) -> Response:
        data = _read(TrackingInput(data=request.data))
        services.ship(shipment=self._shipment(fulfillment_id), **data)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Give up a shipment that hasn't left",
        request=None,
        responses=FulfillmentSerializer,
    )
    def cancel(self, request: Any, fulfillment_id: Any) -> Response:
        services.cancel_shipment(shipment=self._shipment(fulfillment_id))
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Set carrier and tracking", request=TrackingInput, responses=FulfillmentSerializer
    )
    def tracking(self, request: Any, fulfillment_id: Any) -> Response:
        data = _read(TrackingInput(data=request.data))
        services.set_tracking(shipment=self._shipment(fulfillment_id), **data)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Mark a shipment as delivered", request=None, responses=FulfillmentSerializer
    )
    def delivered(self, request: Any, fulfillment_id: Any) -> Response:
        services.mark_delivered(shipment=self._shipment(fulfillment_id))
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Say what became of a shipment",
        request=OutcomeInput,
        responses=FulfillmentSerializer,
    )
    def outcome(self, request: Any, fulfillment_id: Any) -> Response:
        event = _EVENTS[_read(OutcomeInput(data=request.data))["outcome"]]
        services.mark(shipment=self._shipment(fulfillment_id), event=event)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Set the parcels of a planned shipment",
        request=ParcelsInput,
        responses=FulfillmentSerializer,
    )
    def parcels(self, request: Any, fulfillment_id: Any) -> Response:
        data = _read(ParcelsInput(data=request.data))
        services.set_parcels(shipment=self._shipment(fulfillment_id), **data)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Buy labels for a shipment's parcels",
        description="A label whose carrier doesn't answer stays `pending`, and is settled later.",
        request=LabelInput,
        responses=FulfillmentSerializer,
    )
    def labels(self, request: Any, fulfillment_id: Any) -> Response:
        data = _read(LabelInput(data=request.data))
        services.buy_labels(shipment=self._shipment(fulfillment_id), **data)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Give a shipment's labels back", request=None, responses=FulfillmentSerializer
    )
    def void(self, request: Any, fulfillment_id: Any) -> Response:
        services.void_labels(shipment=self._shipment(fulfillment_id))
        return self._answer(fulfillment_id)


@method_decorator(csrf_exempt, name="dispatch")
class CarrierWebhookView(BaseApi):
    """`POST /webhooks/carriers/{carrier}/`: verified by the carrier's own signature."""

    authentication_classes: list[Any] = []
    permission_classes = [Public]
    parser_classes = [RawParser]
    throttle_classes: list[Any] = []

    @extend_schema(
        summary="Receive a carrier's webhook",
        description="Verified by the carrier's signature over the raw body; the carrier is asked"
        " for the news afterwards.",
        request=OpenApiTypes.BINARY,
        responses={204: None},
        auth=[],
    )
    def post(self, request: Any, carrier: str) -> HttpResponse:
        raw: HttpRequest = request._request
        services.receive_webhook(carrier=carrier, headers=raw.headers, body=raw.body)
        return Response(status=204)
