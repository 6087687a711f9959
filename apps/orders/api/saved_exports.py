"""Exports that run by themselves, and who had which, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.accounts.models import User
from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.core.files import private_file
from apps.core.scopes import scoped
from apps.orders import services
from apps.orders.api.exports import RENDERERS
from apps.orders.models import ExportRun, SavedExport
from apps.orders.models.desk import ExportFormat, ExportRows
from apps.orders.services.export_runs import PERMISSION, fetch_run, save_export
from apps.orders.services.exports import CONTENT_TYPES


class SavedExportInput(StrictSerializer):
    name = serializers.CharField(max_length=100)
    rows = serializers.ChoiceField(ExportRows.choices, required=False)
    format = serializers.ChoiceField(ExportFormat.choices, required=False)
    filters = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=1000,
        help_text="As in the list of orders: status=processing&tag=vip. Empty: all.",
    )
    frequency = serializers.ChoiceField(SavedExport.Frequency.choices)
    only_period = serializers.BooleanField(
        required=False,
        help_text="Of the day, week or month that ended. Otherwise all that fit the filters.",
    )
    recipients = serializers.ListField(
        child=serializers.EmailField(),
        required=False,
        max_length=50,
        help_text="Staff who may export: they get a link by mail.",
    )
    is_active = serializers.BooleanField(required=False)

    def validate_recipients(self, value: list[str]) -> list[User]:
        wanted = {email.lower() for email in value}
        found = list(User.objects.filter(email__in=wanted, is_staff=True, is_active=True))
        if len(found) < len(wanted):
            raise serializers.ValidationError(services.NotStaff.message, "not_staff")
        return found


class SavedExportSerializer(serializers.ModelSerializer[SavedExport]):
    id = serializers.UUIDField(source="public_id")
    recipients = serializers.SlugRelatedField("email", many=True, read_only=True)
    created_by = serializers.EmailField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = SavedExport
        fields = (
            *("id", "name", "rows", "format", "filters", "frequency", "only_period"),
            *("recipients", "is_active", "created_by", "created_at"),
        )


class ExportRunSerializer(serializers.ModelSerializer[ExportRun]):
    id = serializers.UUIDField(source="public_id")
    export = serializers.UUIDField(
        source="export.public_id",
        default=None,
        allow_null=True,
        help_text="The scheduled export; null: by hand.",
    )
    filters = serializers.DictField(child=serializers.CharField())
    has_file = serializers.BooleanField(source="is_kept", help_text="It can be fetched.")
    created_by = serializers.EmailField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = ExportRun
        fields = (
            *("id", "export", "period", "rows", "format", "filters", "status", "count", "error"),
            *("has_file", "created_by", "created_at", "finished_at", "expires_at"),
        )


class SavedExportView(BaseViewSet):
    """None is deleted: its runs tell who had what. It is switched off."""

    permission_classes = [Staff]
    required_permissions = dict.fromkeys(
        ("list", "create", "retrieve", "partial_update"), PERMISSION
    )
    idempotent = frozenset({"create"})
    serializer_class = SavedExportSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[SavedExport]:
        exports = SavedExport.objects.select_related("created_by")
        return scoped(exports.prefetch_related("recipients"))

    @extend_schema(summary="List the scheduled exports")
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(SavedExportSerializer(page, many=True).data)

    @extend_schema(
        summary="Schedule an export",
        description="It runs once for each day, week or month that is over, the last one first.",
        request=SavedExportInput,
        responses={201: SavedExportSerializer},
    )
    def create(self, request: Any) -> Response:
        data = SavedExportInput(data=request.data)
        data.is_valid(raise_exception=True)
        export = save_export(
            export=SavedExport(created_by=request.user), changes=data.validated_data
        )
        return Response(SavedExportSerializer(export).data, status=201)

    @extend_schema(summary="A scheduled export")
    def retrieve(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(SavedExportSerializer(self.get_object()).data)

    @extend_schema(
        summary="Change a scheduled export, or switch it off",
        request=SavedExportInput,
        responses=SavedExportSerializer,
    )
    def partial_update(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        export = self.get_object()
        data = SavedExportInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        save_export(export=export, changes=data.validated_data)
        return Response(SavedExportSerializer(self.get_object()).data)


class ExportRunView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = dict.fromkeys(("list", "retrieve", "file"), PERMISSION)
    serializer_class = ExportRunSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[ExportRun]:
        return scoped(ExportRun.objects.select_related("export", "created_by"))

    def get_renderers(self) -> list[BaseRenderer]:
        if self.action == "file":
            return [renderer() for renderer in RENDERERS]
        return super().get_renderers()

    @extend_schema(
        summary="List the exports that were made",
        description="By the clock and by hand, the newest first: who had which, with what filters.",
    )
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ExportRunSerializer(page, many=True).data)

    @extend_schema(summary="An export that was made")
    def retrieve(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(ExportRunSerializer(self.get_object()).data)

    @extend_schema(
        summary="Fetch the file of an export",
        description="For seven days; then 404. Each download is in the audit log.",
        responses={
            (200, media_type.partition(";")[0]): OpenApiTypes.BINARY
            for media_type in CONTENT_TYPES.values()
        },
    )
    def file(self, request: Any, id: Any) -> HttpResponseBase:  # noqa: A002 (the path's name)
        run = fetch_run(public_id=id, user=request.user)
        return private_file(run.file.open("rb"), run.file_name, CONTENT_TYPES[run.format])
