"""Shapes of the taxes' API."""

from __future__ import annotations

from rest_framework import serializers

from apps.core.api.serializers import RowField, StrictSerializer
from apps.taxes.models import TaxClass, TaxRate


class TaxClassSerializer(serializers.ModelSerializer[TaxClass]):
    class Meta:
        model = TaxClass
        fields = ("code", "name")
        read_only_fields = fields


class TaxClassChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)


class TaxClassInputSerializer(TaxClassChangeSerializer):
    code = serializers.SlugField(max_length=40)


class TaxRateSerializer(serializers.ModelSerializer[TaxRate]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    tax_class = serializers.CharField(source="tax_class.code", read_only=True)

    class Meta:
        model = TaxRate
        fields = (
            "id",
            "tax_class",
            "country",
            "region",
            "postcode_from",
            "postcode_to",
            "level",
            "applies",
            "name",
            "percent",
            "valid_from",
            "valid_to",
            "source",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class TaxRateInputSerializer(StrictSerializer):
    tax_class = RowField(TaxClass.objects.all(), help_text="A tax class's code.")
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    region = serializers.CharField(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text="ISO 3166-2 without the country; empty for the whole country.",
    )
    postcode_from = serializers.CharField(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text="In capitals without blanks; compared as far as it is long.",
    )
    postcode_to = serializers.CharField(max_length=10, required=False, allow_blank=True)
    level = serializers.ChoiceField(
        choices=TaxRate.Level.choices,
        required=False,
        help_text="Rates of different levels add up; of one level the closest counts.",
    )
    applies = serializers.ChoiceField(choices=TaxRate.Applies.choices, required=False)
    name = serializers.CharField(max_length=60, help_text="As on the invoice: IVA 21 %.")
    percent = serializers.DecimalField(
        max_digits=7, decimal_places=4, min_value=0, max_value=100, help_text="21.0000"
    )
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(
        required=False, allow_null=True, help_text="The last day it applies."
    )
    source = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Who says so, and as of when."
    )
