"""Two customers who are one person, for staff."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import PlainViewSet, etag_of
from apps.customers.api.serializers import CustomerDetailSerializer, CustomerSerializer
from apps.customers.models import Customer
from apps.customers.selectors import customer_called, duplicates_of
from apps.customers.services import merging


class MergeSerializer(StrictSerializer):
    other = serializers.UUIDField(help_text="The id of the customer who goes.")


class MergePreviewSerializer(serializers.Serializer[Any]):
    rows = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many of what would move."
    )


class DuplicateSerializer(serializers.Serializer[Any]):
    customer = CustomerSerializer()
    reasons = serializers.ListField(
        child=serializers.ChoiceField(["email", "phone", "address"]),
        help_text="The same mailbox, the same phone, the same name at the same address.",
    )


class DuplicatesSerializer(serializers.Serializer[Any]):
    duplicates = DuplicateSerializer(many=True)


class MergingView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "duplicates": "customers.view_customer",
        "preview": "customers.merge_customer",
        "merge": "customers.merge_customer",
    }

    def _other(self, request: Any) -> Customer:
        data = MergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return customer_called(data.validated_data["other"])

    @extend_schema(
        summary="Who may be the same person",
        description="At most 20.",
        responses={200: DuplicatesSerializer},
        tags=["customers"],
    )
    def duplicates(self, request: Any, **kwargs: Any) -> Response:
        found = duplicates_of(customer_called(kwargs["id"]))
        rows = [{"customer": row, "reasons": reasons} for row, reasons in found.items()]
        return Response(DuplicatesSerializer({"duplicates": rows}).data)

    @extend_schema(
        summary="See what a merge would move",
        description="Changes nothing; refused like the merge itself.",
        request=MergeSerializer,
        responses={200: MergePreviewSerializer},
        tags=["customers"],
    )
    def preview(self, request: Any, **kwargs: Any) -> Response:
        kept, merged = customer_called(kwargs["id"]), self._other(request)
        merging.check_mergeable(kept=kept, merged=merged)
        counts = merging.what_would_move(merged=merged)
        rows = {model._meta.label_lower: count for model, count in counts.items()}
        return Response(MergePreviewSerializer({"rows": rows}).data)

    @extend_schema(
        summary="Merge another customer into this one",
        description="Everything of theirs moves here, and they are gone; this can't be undone."
        " Refused (`account_would_be_lost`) if they have an account.",
        request=MergeSerializer,
        responses={200: CustomerDetailSerializer},
        tags=["customers"],
    )
    def merge(self, request: Any, **kwargs: Any) -> Response:
        kept, merged = customer_called(kwargs["id"]), self._other(request)
        customer = merging.merge_customers(kept=kept, merged=merged)
        body = CustomerDetailSerializer(customer).data
        return Response(body, headers={"ETag": etag_of(customer)})
