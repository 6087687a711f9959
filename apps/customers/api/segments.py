"""Segments, for staff."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.customers.models import Segment
from apps.customers.selectors import FIELDS, matching
from apps.customers.services import segments

_VALUES = {
    "at_least": {"description": "A number; of `spent`, money."},
    "at_most": {"description": "A number; of `spent`, money."},
    "within_days": {"type": "integer", "minimum": 0, "maximum": 36_500},
    "before_days": {"type": "integer", "minimum": 0, "maximum": 36_500},
    "in": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100},
    "is": {"type": "boolean"},
}
CONDITIONS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": 10,
    "items": {
        "type": "object",
        "description": "A field and one of its operators: "
        + "; ".join(f"{field}: {', '.join(operators)}" for field, operators in FIELDS.items()),
        "properties": {"field": {"type": "string", "enum": list(FIELDS)}, **_VALUES},
        "required": ["field"],
        "additionalProperties": False,
    },
    "examples": [[{"field": "orders", "at_least": 3}, {"field": "country", "in": ["ES"]}]],
}


@extend_schema_field(CONDITIONS)
class ConditionsField(serializers.JSONField):
    """Checked by the service."""


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    conditions = ConditionsField()
    size = serializers.IntegerField(help_text="How many customers are in it.")

    class Meta:
        model = Segment
        fields = ("code", "name", "match", "conditions", "size", "refreshed_at")
        read_only_fields = fields


class SegmentDraftSerializer(StrictSerializer):
    match = serializers.ChoiceField(Segment.Match.choices, required=False)
    conditions = ConditionsField()


class SegmentInputSerializer(SegmentDraftSerializer):
    code = serializers.SlugField(max_length=40)
    name = serializers.CharField(max_length=120)


class SegmentChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    match = serializers.ChoiceField(Segment.Match.choices, required=False)
    conditions = ConditionsField(required=False)


class SegmentSizeSerializer(serializers.Serializer[Any]):
    size = serializers.IntegerField(help_text="How many customers it would have now.")


class SegmentViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "customers.view_segment",
        "retrieve": "customers.view_segment",
        "create": "customers.add_segment",
        "preview": "customers.change_segment",
        "partial_update": "customers.change_segment",
        "destroy": "customers.delete_segment",
    }
    queryset = Segment.objects.annotate(size=Count("members"))
    serializer_class = SegmentSerializer
    lookup_field = "code"

    @extend_schema(summary="List segments", tags=["customers"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A segment", tags=["customers"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a segment",
        description="Its members are looked up at once, then every quarter of an hour, and for a"
        " customer whenever their orders change.",
        request=SegmentInputSerializer,
        responses={201: SegmentSerializer},
        tags=["customers"],
    )
    def create(self, request: Any) -> Response:
        data = SegmentInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        segment = segments.create_segment(**data.validated_data)
        return self._answer(segment, status=201)

    @extend_schema(
        summary="Count who would be in a segment",
        description="Saves nothing.",
        request=SegmentDraftSerializer,
        responses={200: SegmentSizeSerializer},
        tags=["customers"],
    )
    def preview(self, request: Any) -> Response:
        data = SegmentDraftSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        found = matching(**{"match": Segment.Match.ALL, **data.validated_data})
        return Response({"size": found.count()})

    @extend_schema(
        summary="Change a segment",
        request=SegmentChangeSerializer,
        responses={200: SegmentSerializer},
        tags=["customers"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        data = SegmentChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        segment = segments.update_segment(segment=self.get_object(), **data.validated_data)
        return self._answer(segment)

    @extend_schema(
        summary="Delete a segment",
        description="Promotions that name it fit nobody by it any more.",
        responses={204: None},
        tags=["customers"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        segments.delete_segment(segment=self.get_object())
        return Response(status=204)

    def _answer(self, segment: Segment, status: int = 200) -> Response:
        row = self.get_queryset().get(pk=segment.pk)
        return Response(SegmentSerializer(row).data, status=status)
