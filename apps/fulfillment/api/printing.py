"""Papers of many shipments in one PDF: asked for, waited for, fetched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.renderers import JSONRenderer
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.core.errors import DomainError, NotFound
from apps.core.files import PDF, private_file
from apps.core.scopes import scoped
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, PrintJob, PrintRow


class UnknownShipments(DomainError):
    code = "unknown_shipments"


class PrintInput(StrictSerializer):
    shipments = serializers.ListField(
        child=serializers.UUIDField(),
        allow_empty=False,
        max_length=services.MAX_SHIPMENTS,
        help_text="Printed in this order; those that share a parcel once.",
    )
    slips = serializers.BooleanField(default=True)
    labels = serializers.BooleanField(default=True)


class PrintRowSerializer(serializers.ModelSerializer[PrintRow]):
    shipment = serializers.UUIDField(source="fulfillment.public_id")
    order = serializers.CharField(source="fulfillment.order.number")
    result = serializers.CharField(
        help_text="Empty: not made yet; ok, no_label, unreadable_label (not a PDF)."
    )

    class Meta:
        model = PrintRow
        fields = ("shipment", "order", "result")


class PrintJobSummarySerializer(serializers.ModelSerializer[PrintJob]):
    id = serializers.UUIDField(source="public_id")
    status = serializers.CharField(help_text="queued, running, done or failed.")
    expires_at = serializers.SerializerMethodField(
        help_text="Until when there is a file; null: there is none (yet, or any more)."
    )

    class Meta:
        model = PrintJob
        fields: tuple[str, ...] = (
            *("id", "status", "slips", "labels", "done", "total", "pages", "requested_by"),
            *("created_at", "finished_at", "expires_at"),
        )

    def get_expires_at(self, job: PrintJob) -> datetime | None:
        return services.expires_at(job)


class PrintJobSerializer(PrintJobSummarySerializer):
    rows = PrintRowSerializer(many=True)

    class Meta(PrintJobSummarySerializer.Meta):
        fields = (*PrintJobSummarySerializer.Meta.fields, "rows")


class PrintJobFilter(filters.FilterSet):
    class Meta:
        model = PrintJob
        fields = ("status",)


class PDFRenderer(JSONRenderer):
    """Lets callers ask for PDF; what is rendered are problems, the file is streamed."""

    media_type = PDF
    format = "pdf"


@extend_schema_view(list=extend_schema(summary="List print jobs, newest first"))
class PrintJobViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "fulfillment.view_printjob",
        "retrieve": "fulfillment.view_printjob",
        "create": "fulfillment.print_papers",
    }
    idempotent = frozenset({"create"})
    serializer_class = PrintJobSummarySerializer
    filterset_class = PrintJobFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[PrintJob]:
        return PrintJob.objects.order_by("-pk")

    @extend_schema(
        summary="Print papers of shipments",
        description="Packing slips with customs papers, and labels, of up to 500 shipments in one"
        " PDF. It is made in the background: ask for the job again until it is `done`, then fetch"
        " its file.",
        request=PrintInput,
        responses={201: PrintJobSerializer},
    )
    def create(self, request: Any) -> Response:
        form = PrintInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        known = {each.public_id: each for each in _shipments(data["shipments"])}
        if unknown := [str(id_) for id_ in data["shipments"] if id_ not in known]:
            raise UnknownShipments(field="shipments", extra={"unknown": unknown})
        job = services.print_papers(
            shipments=[known[id_] for id_ in dict.fromkeys(data["shipments"])],
            slips=data["slips"],
            labels=data["labels"],
        )
        return Response(self._document(job), status=201)

    @extend_schema(summary="A print job and how each shipment went", responses=PrintJobSerializer)
    def retrieve(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(self._document(self.get_object()))

    def _document(self, job: PrintJob) -> Any:
        found = PrintJob.objects.prefetch_related("rows__fulfillment__order").get(pk=job.pk)
        return PrintJobSerializer(found).data


def _shipments(ids: list[Any]) -> QuerySet[Fulfillment]:
    return scoped(Fulfillment.objects.filter(public_id__in=ids))


class PrintFileView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "fulfillment.print_papers",
        "destroy": "fulfillment.print_papers",
    }
    serializer_class = PrintJobSummarySerializer
    queryset = PrintJob.objects.all()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), PDFRenderer()]

    @extend_schema(
        summary="The file of a print job",
        description="404 while there is none: it is kept for a day.",
        responses={(200, PDF): OpenApiTypes.BINARY},
    )
    def retrieve(self, request: Any, id: Any) -> HttpResponseBase:  # noqa: A002 (the path's name)
        job = self.get_object()
        if not job.file:
            raise NotFound()
        return private_file(job.file.open("rb"), f"papers-{job.public_id}.pdf", PDF)

    @extend_schema(
        summary="Delete the file of a print job",
        description="Before its time: it has people's addresses. 409 `still_printing` while it is"
        " being made.",
        responses={204: None},
    )
    def destroy(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        services.forget_file(job=self.get_object())
        return Response(status=204)
