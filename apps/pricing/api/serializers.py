"""Shapes of the prices' API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.core.api.serializers import MoneyField, QuantityField, RowField, StrictSerializer
from apps.core.money import CURRENCY_CHOICES
from apps.core.scopes import must_name, scoped
from apps.customers.models import CustomerGroup
from apps.pricing.models import CurrencyRule, Price, PriceList, PricePoint
from apps.pricing.services import PriceData
from apps.products.models import Product, Variant
from apps.stores.models import Store

# A PositiveIntegerField of the smallest engine.
MAX_INTEGER = 2_147_483_647


class PriceListSerializer(serializers.ModelSerializer[PriceList]):
    group = serializers.CharField(source="group.code", read_only=True)

    class Meta:
        model = PriceList
        fields = ("code", "name", "group", "priority", "is_active")
        read_only_fields = fields


class PriceListChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)
    group = RowField(CustomerGroup.objects.all(), help_text="A customer group's code.")
    priority = QuantityField(
        min_value=-MAX_INTEGER,
        max_value=MAX_INTEGER,
        required=False,
        help_text="The highest list that prices a variant wins.",
    )
    is_active = serializers.BooleanField(required=False)


class PriceListInputSerializer(PriceListChangeSerializer):
    code = serializers.SlugField(max_length=40)


class PriceSerializer(serializers.ModelSerializer[Price]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    sku = serializers.CharField(source="variant.sku", read_only=True)
    price = MoneyField(source="amount", read_only=True)
    compare_at_price = MoneyField(source="compare_at", read_only=True, allow_null=True)
    store = serializers.CharField(
        source="store.code", read_only=True, allow_null=True, help_text="Null: every store."
    )
    price_list = serializers.CharField(
        source="price_list.code", read_only=True, allow_null=True, help_text="Null: everybody."
    )

    class Meta:
        model = Price
        fields = (
            "id",
            "sku",
            "price",
            "compare_at_price",
            "store",
            "price_list",
            "min_quantity",
            "valid_from",
            "valid_to",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class PriceChangeSerializer(StrictSerializer):
    """What may be changed of a price; `data()` makes it the service's."""

    price = MoneyField(required=False)
    compare_at_price = MoneyField(required=False, allow_null=True)
    min_quantity = QuantityField(required=False)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    valid_to = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        currencies = {
            attrs[name].currency for name in ("price", "compare_at_price") if attrs.get(name)
        }
        if known := self.context.get("currency"):
            currencies.add(known)
        if len(currencies) > 1:
            message = _("The amounts of a price are in one currency.")
            raise serializers.ValidationError({"price": [message]}, "mixed_currencies")
        return attrs


class PriceInputSerializer(PriceChangeSerializer):
    price = MoneyField()
    sku = RowField(Variant.objects.all(), key="sku")
    store = RowField(Store.objects.all(), required=False, allow_null=True)
    price_list = RowField(PriceList.objects.all(), required=False, allow_null=True)


def price_data(values: dict[str, Any]) -> PriceData:
    """The validated values of a `PriceInputSerializer` as the service takes them."""
    price, compare_at = values["price"], values.get("compare_at_price")
    store, price_list = values.get("store"), values.get("price_list")
    return PriceData(
        variant_id=values["sku"].pk,
        currency=price.currency,
        amount=price.amount,
        compare_at=compare_at and compare_at.amount,
        store_id=store and store.pk,
        price_list_id=price_list and price_list.pk,
        min_quantity=values.get("min_quantity", 1),
        valid_from=values.get("valid_from"),
        valid_to=values.get("valid_to"),
    )


class ProductPriceSerializer(PriceChangeSerializer):
    """A price of one of the product's variants; rows are named, and looked up together."""

    price = MoneyField()
    sku = serializers.CharField(max_length=100)
    store = serializers.CharField(max_length=40, required=False, allow_null=True)
    price_list = serializers.CharField(max_length=40, required=False, allow_null=True)


class ProductPricesInputSerializer(StrictSerializer):
    prices = ProductPriceSerializer(many=True, allow_empty=False, max_length=500)

    def validate_prices(self, prices: list[dict[str, Any]]) -> list[PriceData]:
        product: Product = self.context["product"]
        known: dict[str, dict[str, Any]] = {
            "sku": {v.sku: v for v in product.variants.all()},
            "store": {s.code: s for s in scoped(Store.objects.all())},
            "price_list": {p.code: p for p in PriceList.objects.all()},
        }
        for row in prices:
            for name, rows in known.items():
                key = row.get(name)
                if key is None:
                    if name == "store" and must_name(Store):
                        raise serializers.ValidationError(_("Say in which store."), "required")
                    continue
                if key not in rows:
                    message = _("There is no %s here.") % key
                    raise serializers.ValidationError(message, "does_not_exist")
                row[name] = rows[key]
        return [price_data(row) for row in prices]


class ProductPricesSerializer(serializers.Serializer[Any]):
    product = serializers.CharField(help_text="The product's slug.")
    prices = PriceSerializer(many=True)


class PricePointSerializer(serializers.ModelSerializer[PricePoint]):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    price = MoneyField(
        source="amount", read_only=True, allow_null=True, help_text="Null: it was removed."
    )
    compare_at_price = MoneyField(source="compare_at", read_only=True, allow_null=True)
    store = serializers.CharField(source="store.code", read_only=True, allow_null=True)
    price_list = serializers.CharField(source="price_list.code", read_only=True, allow_null=True)

    class Meta:
        model = PricePoint
        fields = (
            "sku",
            "price",
            "compare_at_price",
            "currency",
            "store",
            "price_list",
            "min_quantity",
            "valid_from",
            "valid_to",
            "promotion",
            "actor",
            "created_at",
        )
        read_only_fields = fields


class CurrencyRuleSerializer(serializers.ModelSerializer[CurrencyRule]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    store = serializers.CharField(source="store.code", read_only=True)
    surcharge = serializers.DecimalField(
        max_digits=6, decimal_places=3, read_only=True, help_text="A percentage."
    )
    round_to = MoneyField(read_only=True, help_text="Prices are multiples of it, …")
    minus = MoneyField(read_only=True, help_text="… less this: 1.00 less 0.01 gives 12.99.")

    class Meta:
        model = CurrencyRule
        fields = (
            "id",
            "store",
            "currency",
            "mode",
            "base",
            "surcharge",
            "round_to",
            "minus",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class CurrencyRuleChangeSerializer(StrictSerializer):
    """Store and currency of a rule stay; `round_to` and `minus` are in its currency."""

    mode = serializers.ChoiceField(CurrencyRule.Mode.choices, required=False)
    base = serializers.ChoiceField(CURRENCY_CHOICES, required=False)
    surcharge = serializers.DecimalField(
        max_digits=6, decimal_places=3, min_value=0, required=False, help_text="A percentage."
    )
    round_to = MoneyField(required=False)
    minus = MoneyField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        currency = attrs.get("currency") or self.context["currency"]
        for name in ("round_to", "minus"):
            if name not in attrs:
                continue
            money = attrs[name]
            if money.currency != currency:
                message = _("It is rounded in the currency of the rule.")
                raise serializers.ValidationError({name: [message]}, "mixed_currencies")
            attrs[name] = money.amount
        return attrs


class CurrencyRuleInputSerializer(CurrencyRuleChangeSerializer):
    store = RowField(Store.objects.all(), help_text="The store's code.")
    currency = serializers.ChoiceField(CURRENCY_CHOICES)
    base = serializers.ChoiceField(CURRENCY_CHOICES)
