"""Tax settings of stores, exemptions of customers and checks of VAT numbers, for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.customers.models import Customer
from apps.stores.models import Store
from apps.taxes import services
from apps.taxes.models import TaxExemption, TaxSettings, VATCheck


class TaxSettingsSerializer(serializers.ModelSerializer[TaxSettings]):
    store = serializers.CharField(source="store.code", read_only=True)
    registrations = serializers.ListField(child=serializers.CharField(), read_only=True)
    nexus = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = TaxSettings
        fields = (
            "store",
            "region",
            "vat_number",
            "oss_from",
            "registrations",
            "nexus",
            "keeps_gross",
            "engine",
        )
        read_only_fields = fields


class TaxSettingsInputSerializer(StrictSerializer):
    region = serializers.CharField(
        max_length=10, required=False, allow_blank=True, help_text="The seller's, ISO 3166-2: MH."
    )
    vat_number = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="With its country: ESB12345674."
    )
    oss_from = serializers.DateField(
        required=False, allow_null=True, help_text="In the One-Stop-Shop since this day."
    )
    registrations = serializers.ListField(
        child=serializers.CharField(max_length=2),
        required=False,
        max_length=260,
        help_text="Further countries with a tax number of the seller's.",
    )
    nexus = serializers.ListField(
        child=serializers.CharField(max_length=3),
        required=False,
        max_length=260,
        help_text="US states where tax must be collected; empty: all.",
    )
    keeps_gross = serializers.BooleanField(required=False)
    engine = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="The code of the tax engine that says the rates; empty: the table.",
    )


class TaxSettingsViewSet(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "taxes.view_taxsettings",
        "partial_update": "taxes.change_taxsettings",
    }
    queryset = Store.objects.select_related("tax_settings")
    serializer_class = TaxSettingsSerializer
    lookup_field = "code"

    @extend_schema(
        summary="A store's tax settings",
        description="A store without any is registered at home only.",
        tags=["taxes"],
    )
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        store = self.get_object()
        known = getattr(store, "tax_settings", None) or TaxSettings(store=store)
        return Response(TaxSettingsSerializer(known).data)

    @extend_schema(
        summary="Change a store's tax settings",
        request=TaxSettingsInputSerializer,
        responses={200: TaxSettingsSerializer},
        tags=["taxes"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        store = self.get_object()
        data = TaxSettingsInputSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        known = services.save_settings(store=store, changes=data.validated_data)
        return Response(TaxSettingsSerializer(known).data)


class TaxExemptionSerializer(serializers.ModelSerializer[TaxExemption]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    customer = serializers.UUIDField(source="customer.public_id", read_only=True)

    class Meta:
        model = TaxExemption
        fields = (
            "id",
            "customer",
            "country",
            "region",
            "certificate",
            "reason",
            "valid_from",
            "valid_to",
            "is_active",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class TaxExemptionChangeSerializer(StrictSerializer):
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    region = serializers.CharField(
        max_length=10, required=False, allow_blank=True, help_text="Empty: the whole country."
    )
    certificate = serializers.CharField(max_length=60, help_text="The certificate's number.")
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(
        required=False, allow_null=True, help_text="The last day it applies."
    )
    is_active = serializers.BooleanField(required=False)


class TaxExemptionInputSerializer(TaxExemptionChangeSerializer):
    customer = serializers.UUIDField(help_text="A customer's id.")

    def validate_customer(self, value: UUID) -> Customer:
        found = Customer.objects.filter(public_id=value).first()
        if found is None:
            raise serializers.ValidationError(_("There is no such customer."))
        return found


class TaxExemptionFilter(filters.FilterSet):
    customer = filters.UUIDFilter(field_name="customer__public_id")
    country = filters.CharFilter()

    class Meta:
        model = TaxExemption
        fields: tuple[str, ...] = ()


class TaxExemptionViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "taxes.view_taxexemption",
        "retrieve": "taxes.view_taxexemption",
        "create": "taxes.add_taxexemption",
        "partial_update": "taxes.change_taxexemption",
        "destroy": "taxes.delete_taxexemption",
    }
    queryset = TaxExemption.objects.select_related("customer")
    serializer_class = TaxExemptionSerializer
    filterset_class = TaxExemptionFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List tax exemptions", tags=["taxes"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A tax exemption", tags=["taxes"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a tax exemption",
        request=TaxExemptionInputSerializer,
        responses={201: TaxExemptionSerializer},
        tags=["taxes"],
    )
    def create(self, request: Any) -> Response:
        data = TaxExemptionInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = services.save_exemption(exemption=TaxExemption(), changes=data.validated_data)
        return _detail(made, 201)

    @extend_schema(
        summary="Change a tax exemption",
        request=TaxExemptionChangeSerializer,
        responses={200: TaxExemptionSerializer},
        tags=["taxes"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        exemption = self.get_object()
        check_if_match(request, exemption)
        data = TaxExemptionChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(services.save_exemption(exemption=exemption, changes=data.validated_data))

    @extend_schema(summary="Delete a tax exemption", responses={204: None}, tags=["taxes"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_exemption(exemption=self.get_object())
        return Response(status=204)


class VATCheckSerializer(serializers.ModelSerializer[VATCheck]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = VATCheck
        fields = (
            "id",
            "country",
            "number",
            "verdict",
            "name",
            "address",
            "requester",
            "consultation",
            "fault",
            "created_at",
        )
        read_only_fields = fields


class VATCheckFilter(filters.FilterSet):
    country = filters.CharFilter()
    number = filters.CharFilter()
    verdict = filters.ChoiceFilter(choices=VATCheck.Verdict.choices)

    class Meta:
        model = VATCheck
        fields: tuple[str, ...] = ()


class VATCheckViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "taxes.view_vatcheck",
        "retrieve": "taxes.view_vatcheck",
    }
    queryset = VATCheck.objects.all()
    serializer_class = VATCheckSerializer
    filterset_class = VATCheckFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List checks of VAT numbers", tags=["taxes"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A check of a VAT number", tags=["taxes"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)


def _detail(exemption: TaxExemption, status: int = 200) -> Response:
    body = TaxExemptionSerializer(exemption).data
    return Response(body, status=status, headers={"ETag": etag_of(exemption)})
