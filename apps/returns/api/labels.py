"""Labels of returns: bought and given back by the staff, printed by whoever sends the parcel."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.renderers import JSONRenderer
from apps.core.api.views import BaseViewSet
from apps.core.errors import NotFound
from apps.core.files import PDF, private_file
from apps.returns import services
from apps.returns.api.serializers import BuyReturnLabelInput, StaffReturnSerializer
from apps.returns.api.views import TOKEN, OfOrder
from apps.returns.models import ReturnRequest
from apps.returns.selectors import label_document, return_json, returns_for_reading

PAPER = {(200, PDF): OpenApiTypes.BINARY}


class _PdfRenderer(JSONRenderer):
    """Lets callers ask for the paper; what is rendered are problems."""

    media_type = PDF
    format = "file"


def paper(request: ReturnRequest) -> HttpResponseBase:
    """What the customer puts on the parcel. Raises NotFound."""
    body, content_type = label_document(request)
    return private_file(body, f"{request.number}.pdf", content_type, is_shown=True)


class MyLabelView(OfOrder):
    serializer_class = BuyReturnLabelInput

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), _PdfRenderer()]

    @extend_schema(
        summary="The label of an approved return",
        description="As bought of the carrier; where none was, the paper with the return's number"
        " and address, to be sent by any carrier.",
        parameters=[TOKEN],
        responses=PAPER,
        tags=["returns"],
    )
    def retrieve(self, request: Any, number: str, return_id: Any) -> HttpResponse:
        returns = ReturnRequest.objects.filter(order=self.order(number), public_id=return_id)
        found = returns.select_related("order__store").first()
        if found is None:
            raise NotFound()
        return paper(found)


class StaffLabelView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "returns.view_returnrequest",
        "create": "returns.decide_return",
        "destroy": "returns.decide_return",
    }
    idempotent = frozenset({"create"})
    queryset = returns_for_reading()
    serializer_class = StaffReturnSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), _PdfRenderer()]

    @extend_schema(summary="The label of an approved return", responses=PAPER, tags=["returns"])
    def retrieve(self, request: Any, **kwargs: Any) -> HttpResponse:
        return paper(self.get_object())

    @extend_schema(
        summary="Buy the label of an approved return",
        description="One for a return; the customer is told by mail. A label whose carrier doesn't"
        " answer stays `pending`, and is settled later.",
        request=BuyReturnLabelInput,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def create(self, request: Any, **kwargs: Any) -> Response:
        form = BuyReturnLabelInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.buy_label(request=self.get_object(), **form.validated_data)
        return Response(return_json(self.get_object(), for_staff=True))

    @extend_schema(
        summary="Give the unused label of a return back",
        responses={204: None},
        tags=["returns"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.void_label(request=self.get_object())
        return Response(status=204)
