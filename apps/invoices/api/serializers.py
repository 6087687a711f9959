"""The documented shapes of the invoices' API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import MoneyDocument, StrictSerializer
from apps.invoices.models import Invoice


class InvoiceTaxDocument(serializers.Serializer[Any]):
    name = serializers.CharField()
    percent = serializers.CharField()
    base = MoneyDocument()
    amount = MoneyDocument()


@extend_schema_serializer(component_name="Invoice")
class InvoiceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Invoice.Kind.choices)
    number = serializers.CharField()
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    order = serializers.CharField(help_text="The order's number.")
    corrects = serializers.CharField(
        allow_null=True, help_text="The number of the invoice that a credit note takes back."
    )
    reason = serializers.CharField()
    net = MoneyDocument(help_text="Without tax.")
    tax = MoneyDocument()
    total = MoneyDocument()
    taxes = InvoiceTaxDocument(many=True)
    tax_note = serializers.CharField()


@extend_schema_serializer(component_name="InvoiceList")
class InvoiceListSerializer(serializers.Serializer[Any]):
    results = InvoiceSerializer(many=True)


@extend_schema_serializer(component_name="StaffInvoice")
class StaffInvoiceSerializer(InvoiceSerializer):
    store = serializers.CharField()
    buyer = serializers.CharField()


class ReissueInput(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Stands on the credit note.")
