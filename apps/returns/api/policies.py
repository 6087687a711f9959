"""Return policies, for staff and API keys."""

from __future__ import annotations

from typing import Any

from django_filters import CharFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import MoneyField, RowField, StrictSerializer
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.payments.models import WrongCurrency
from apps.products.models import Category
from apps.returns import services
from apps.returns.models import Condition, ReturnPolicy
from apps.stores.models import Store

_FIELDS = (
    *("store", "category", "days", "condition", "is_final_sale", "is_exempt", "fee_percent"),
    *("fee_fixed", "shipping_paid_by", "label_carrier", "label_service", "deducts_label"),
    *("charges_difference", "instructions"),
)


class PolicySerializer(serializers.ModelSerializer[ReturnPolicy]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    store = serializers.CharField(source="store.code")
    category = serializers.CharField(source="category.slug", default=None, allow_null=True)
    fee_fixed = MoneyField(currency="store.default_currency")

    class Meta:
        model = ReturnPolicy
        fields = ("id", *_FIELDS, "created_at", "updated_at")
        read_only_fields = fields


class PolicyInputSerializer(StrictSerializer):
    store = RowField(Store.objects.all())
    category = RowField(
        Category.objects.all(),
        key="slug",
        required=False,
        allow_null=True,
        help_text="With all below it; null: the rest of the store.",
    )
    days = serializers.IntegerField(min_value=0, max_value=3650, required=False)
    condition = serializers.ChoiceField(Condition.choices, required=False)
    is_final_sale = serializers.BooleanField(required=False)
    is_exempt = serializers.BooleanField(
        required=False, help_text="No right of withdrawal: Directive 2011/83/EU, article 16."
    )
    fee_percent = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False
    )
    fee_fixed = MoneyField(required=False, help_text="Of a line, in the store's default currency.")
    shipping_paid_by = serializers.ChoiceField(ReturnPolicy.Payer.choices, required=False)
    charges_difference = serializers.BooleanField(
        required=False,
        help_text="A dearer variant in exchange costs the difference of today's prices.",
    )
    label_carrier = serializers.SlugField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="Of which labels are bought when returns are approved; empty: none.",
    )
    label_service = serializers.CharField(max_length=60, required=False, allow_blank=True)
    deducts_label = serializers.BooleanField(
        required=False, help_text="Taken off the refund where the customer pays for the return."
    )
    instructions = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class PolicyFilter(FilterSet):
    store = CharFilter(field_name="store__code")

    class Meta:
        model = ReturnPolicy
        fields = ("store",)


class PolicyViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "returns.view_returnpolicy",
        "retrieve": "returns.view_returnpolicy",
        "create": "returns.add_returnpolicy",
        "partial_update": "returns.change_returnpolicy",
        "destroy": "returns.delete_returnpolicy",
    }
    queryset = ReturnPolicy.objects.select_related("store", "category")
    serializer_class = PolicySerializer
    filterset_class = PolicyFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List return policies", tags=["returns"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A return policy", tags=["returns"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a return policy",
        request=PolicyInputSerializer,
        responses={201: PolicySerializer},
        tags=["returns"],
    )
    def create(self, request: Any) -> Response:
        data = PolicyInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return _detail(_save(ReturnPolicy(), dict(data.validated_data)), 201)

    @extend_schema(
        summary="Change a return policy",
        request=PolicyInputSerializer,
        responses={200: PolicySerializer},
        tags=["returns"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        policy = self.get_object()
        check_if_match(request, policy)
        data = PolicyInputSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(_save(policy, dict(data.validated_data)))

    @extend_schema(summary="Delete a return policy", responses={204: None}, tags=["returns"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_policy(policy=self.get_object())
        return Response(status=204)


def _save(policy: ReturnPolicy, changes: dict[str, Any]) -> ReturnPolicy:
    if "fee_fixed" in changes:
        store = changes.get("store") or policy.store
        if changes["fee_fixed"].currency != store.default_currency:
            raise WrongCurrency(field="fee_fixed", extra={"currency": store.default_currency})
        changes["fee_fixed"] = changes["fee_fixed"].amount
    return services.save_policy(policy=policy, changes=changes)


def _detail(policy: ReturnPolicy, status: int = 200) -> Response:
    body = PolicySerializer(policy).data
    return Response(body, status=status, headers={"ETag": etag_of(policy)})
