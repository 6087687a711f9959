from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.core.scopes import must_name, scoped
from apps.integrations.models import ImportJob
from apps.integrations.services import COUNTS
from apps.inventory.models import Location
from apps.stores.models import Store


class CodeField(serializers.SlugRelatedField):
    """A row by its code; what no database would look for is unknown, too."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data in (None, serializers.empty) and must_name(self.queryset.model):
            self.fail("required")
        return super().run_validation(data)

    def get_queryset(self) -> Any:
        return scoped(super().get_queryset())

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and "\x00" in data:
            self.fail("invalid")
        return super().to_internal_value(data)


class ImportInputSerializer(StrictSerializer):
    """A file and how to import it."""

    file = serializers.FileField(max_length=255, allow_empty_file=True)
    format = serializers.ChoiceField(choices=sorted(settings.IMPORT_CHANNELS))
    store = CodeField(
        slug_field="code",
        queryset=Store.objects.all(),
        required=False,
        help_text="Where new products are published; the default store unless given.",
    )
    location = CodeField(
        slug_field="code",
        queryset=Location.objects.all(),
        required=False,
        help_text="Where the stock lies; the store's first location unless given.",
    )
    update = serializers.BooleanField(
        default=False, help_text="Change products that exist; else they are left alone."
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Tell what would change, and write nothing."
    )


class ProgressSerializer(serializers.Serializer):
    done = serializers.IntegerField(source="offset", help_text="Products.")
    total = serializers.IntegerField(source="total_groups")
    percent = serializers.IntegerField()


class CountsSerializer(serializers.Serializer):
    """What became of the rows; `created` + `updated` + `unchanged` are `products` (`customers`)."""

    customers = serializers.IntegerField(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        counted = {name: serializers.IntegerField(default=0) for name in COUNTS["products"]}
        return {**super().get_fields(), **counted}


class ChangeSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    action = serializers.ChoiceField(choices=["create", "update"])
    slug = serializers.CharField()
    name = serializers.CharField()
    variants = serializers.IntegerField()
    changes = serializers.ListField(child=serializers.CharField())


class RefusalSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    column = serializers.CharField()
    reason = serializers.CharField()


class ImportSummarySerializer(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id")
    file_name = serializers.CharField(source="original_name")
    store = serializers.SlugRelatedField(slug_field="code", read_only=True)
    location = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    update = serializers.BooleanField(source="update_existing")
    progress = ProgressSerializer(source="*")
    counts = CountsSerializer()

    class Meta:
        model = ImportJob
        fields = (
            *("id", "file_name", "format", "store", "location", "update", "dry_run"),
            *("status", "progress", "counts", "error", "created_at", "finished_at"),
        )
        read_only_fields = fields


class ImportSerializer(ImportSummarySerializer):
    """With the first changes and refusals, and what to know about the file."""

    preview = ChangeSerializer(many=True)
    refusals = RefusalSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    has_errors = serializers.SerializerMethodField(help_text="`errors/` has a file.")

    class Meta(ImportSummarySerializer.Meta):
        fields = (
            *ImportSummarySerializer.Meta.fields,
            *("preview", "refusals", "notes", "has_errors"),
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_has_errors(self, job: ImportJob) -> bool:
        return bool(job.error_file)
