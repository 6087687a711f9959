"""Product files in and out, for staff and API keys."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.core.api.parsers import JSONParser
from apps.core.api.permissions import Staff, holds
from apps.core.api.renderers import JSONRenderer
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.files import CSV, private_file
from apps.integrations.api.serializers import (
    ImportInputSerializer,
    ImportSerializer,
    ImportSummarySerializer,
)
from apps.integrations.channels.registry import export_formats
from apps.integrations.models import ImportJob
from apps.integrations.selectors import refused_rows, rights_of
from apps.integrations.services import (
    ImportOptions,
    create_job,
    export_customers,
    export_products,
    start_import,
)
from apps.stores.selectors import current_store, default_store

TABLE = (200, "text/csv")


class CSVRenderer(JSONRenderer):
    """Lets callers ask for CSV; what is rendered are problems, the files are streamed."""

    media_type = "text/csv"
    format = "csv"


class _Download:
    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), CSVRenderer()]


class ImportFilter(filters.FilterSet):
    class Meta:
        model = ImportJob
        fields = ("status", "format", "dry_run")


class ImportViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "integrations.view_importjob",
        "retrieve": "integrations.view_importjob",
        "create": "integrations.add_importjob",
        "run": "integrations.add_importjob",
    }
    idempotent = frozenset({"run"})
    parser_classes = [MultiPartParser, JSONParser]
    serializer_class = ImportSummarySerializer
    filterset_class = ImportFilter
    queryset = ImportJob.objects.all()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[ImportJob]:
        jobs = ImportJob.objects.select_related("store", "location")
        if self.action == "list":
            jobs = jobs.defer("preview", "refusals", "notes", "header")
        return jobs

    @extend_schema(summary="List imports")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Import a file of products or customers",
        description="The format says which; customers need `customers.add_customer`, too. The file"
        " is imported in the background: ask for the import again to see its progress. With"
        " `dry_run` nothing is written; `run` then starts the import.",
        request={"multipart/form-data": ImportInputSerializer},
        responses={201: ImportSerializer},
    )
    def create(self, request: Any) -> Response:
        serializer = ImportInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        _check(request, data["format"])
        options = ImportOptions(
            format=data["format"],
            store=data.get("store") or default_store(),
            location=data.get("location"),
            update=data["update"],
            dry_run=data["dry_run"],
        )
        upload = data["file"]
        job = create_job(upload=upload, name=upload.name, options=options, user=request.user)
        return Response(ImportSerializer(job).data, status=201)

    @extend_schema(summary="An import and its progress", responses=ImportSerializer)
    def retrieve(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(ImportSerializer(self._job()).data)

    def _job(self) -> ImportJob:
        job = self.get_object()
        _check(self.request, job.format)
        return job

    @extend_schema(
        summary="Start the import after a dry run",
        description="Also goes on with an import that failed.",
        request=None,
        responses=ImportSerializer,
    )
    def run(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(ImportSerializer(start_import(job=self._job())).data)


class ImportErrorsViewSet(_Download, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "integrations.view_importjob"}
    queryset = ImportJob.objects.all()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(
        summary="The refused rows of an import",
        description="Line, column and reason, then the row as it stands in the file. 404 while"
        " the import runs, and when nothing was refused.",
        responses={TABLE: OpenApiTypes.STR},
    )
    def retrieve(self, request: Any, id: Any) -> HttpResponseBase:  # noqa: A002 (the path's name)
        job = self.get_object()
        _check(request, job.format)
        return private_file(*refused_rows(job), CSV)


def _check(request: Any, file_format: str) -> None:
    """Jobs of customers are for who may have them."""
    if not all(holds(request, right) for right in rights_of(file_format)):
        raise PermissionDenied()


class ProductExportViewSet(_Download, PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "products.export_product"}
    query_params = frozenset({"file_format"})

    @extend_schema(
        summary="Export all products",
        description="With prices and stock, streamed. The store (`X-Store`) decides which price"
        " is the plain one.",
        parameters=[
            OpenApiParameter(
                "file_format", str, enum=export_formats(), description="`commerce` is complete."
            ),
        ],
        responses={TABLE: OpenApiTypes.STR},
    )
    def list(self, request: Any) -> HttpResponseBase:
        chosen = request.query_params.get("file_format", "commerce")
        lines = export_products(format=chosen, store=current_store(request))
        return private_file(lines, "products.csv", CSV)


class CustomerExportViewSet(_Download, PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "customers.export_customer"}

    @extend_schema(
        summary="Export all customers",
        description="With their addresses, groups and tags, streamed.",
        responses={TABLE: OpenApiTypes.STR},
    )
    def list(self, request: Any) -> HttpResponseBase:
        return private_file(export_customers(), "customers.csv", CSV)
