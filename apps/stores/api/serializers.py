"""Shapes of the stores' API."""

from __future__ import annotations

from rest_framework import serializers

from apps.stores.models import ExchangeRate, Store


class StoreSerializer(serializers.ModelSerializer[Store]):
    currencies = serializers.ListField(
        source="all_currencies", child=serializers.CharField(), read_only=True
    )
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Store
        fields = (
            "code",
            "name",
            "domain",
            "is_default",
            "is_active",
            "default_currency",
            "currencies",
            "languages",
            "country",
            "prices_include_tax",
            "tax_rounding",
            "time_zone",
            "order_prefix",
            "email",
        )
        read_only_fields = fields


class ExchangeRateSerializer(serializers.ModelSerializer[ExchangeRate]):
    rate = serializers.DecimalField(
        max_digits=18,
        decimal_places=8,
        read_only=True,
        help_text="Units of `currency` for one unit of `base`.",
    )

    class Meta:
        model = ExchangeRate
        fields = ("base", "currency", "rate", "date")
        read_only_fields = fields
