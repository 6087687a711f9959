"""One action for many orders, in the background."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from apps.core.api.permissions import Staff, holds
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.core.scopes import scoped
from apps.orders.models import BulkItem, BulkJob
from apps.orders.services.bulk import cancel_bulk, create_bulk, progress, verb_called

MOST_NUMBERS = 1000
MOST_SHOWN = 1000


class BulkInput(StrictSerializer):
    action = serializers.CharField(max_length=40)
    orders = serializers.ListField(
        child=serializers.CharField(max_length=30),
        min_length=1,
        max_length=MOST_NUMBERS,
        help_text="Numbers.",
    )
    data = serializers.JSONField(
        default=dict,
        help_text="What the action takes: tag and untag `{tags}`, assign `{assignee}` (an e-mail"
        " address or null), note `{message, is_public?}`, cancel `{reason?}`, label `{carrier,"
        " service}`; the others nothing.",
    )

    def validate_data(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("An object.")
        return value


class BulkRefusalSerializer(serializers.Serializer[Any]):
    number = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class BulkSummarySerializer(serializers.Serializer[BulkJob]):
    id = serializers.UUIDField(source="public_id")
    action = serializers.CharField(source="verb")
    status = serializers.ChoiceField(BulkJob.Status.choices)
    error = serializers.CharField()
    created_by = serializers.EmailField(source="created_by.email", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BulkJobSerializer(BulkSummarySerializer):
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    refusals = BulkRefusalSerializer(many=True, help_text="The first 1,000.")


def _json(job: BulkJob) -> dict[str, Any]:
    refused = job.items.filter(status=BulkItem.Status.REFUSED).order_by("order_id")
    return {
        **BulkSummarySerializer(job).data,
        **progress(job),
        "refusals": [
            {"number": number, "code": code, "message": message}
            for number, code, message in refused.values_list("order__number", "code", "message")[
                :MOST_SHOWN
            ]
        ],
    }


class BulkView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "orders.view_bulkjob",
        "create": "orders.add_bulkjob",
        "retrieve": "orders.view_bulkjob",
        "cancel": "orders.add_bulkjob",
    }
    idempotent = frozenset({"create"})
    serializer_class = BulkJobSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[BulkJob]:
        return scoped(BulkJob.objects.select_related("created_by"))

    @extend_schema(
        summary="List the bulk changes",
        description="The newest first, without those that are being prepared in the back office.",
        responses=BulkSummarySerializer(many=True),
    )
    def list(self, request: Any) -> Response:
        jobs = self.get_queryset().exclude(status=BulkJob.Status.DRAFT)
        return self.get_paginated_response(
            BulkSummarySerializer(self.paginate_queryset(jobs), many=True).data
        )

    @extend_schema(
        summary="Do one thing with many orders",
        description="In the background: ask for the job again to see its progress. The action's"
        " own permission is needed too. An order that refuses doesn't stop the others.",
        request=BulkInput,
        responses={202: BulkJobSerializer},
    )
    def create(self, request: Any) -> Response:
        data = BulkInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        # An API key may do less than its owner.
        if not verb_called(given["action"]).allowed(partial(holds, request)):
            raise PermissionDenied()
        job = create_bulk(
            verb=given["action"], numbers=given["orders"], data=given["data"], user=request.user
        )
        return Response(_json(job), status=202)

    @extend_schema(summary="A bulk change and its progress", responses=BulkJobSerializer)
    def retrieve(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(_json(self.get_object()))

    @extend_schema(
        summary="Stop a bulk change",
        description="What is done stays done. 409 `bulk_over` when it has ended.",
        request=None,
        responses=BulkJobSerializer,
    )
    def cancel(self, request: Any, id: Any) -> Response:  # noqa: A002 (the path's name)
        return Response(_json(cancel_bulk(job=self.get_object())))
