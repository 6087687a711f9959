"""Input of changes after the sale, and the documented shape of what they answer."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import (
    AddressSerializer,
    MoneyDocument,
    MoneyField,
    QuantityField,
    StrictSerializer,
    TotalsSerializer,
)
from apps.core.money import money_json
from apps.orders.api.serializers import (
    OrderDiscountDocument,
    OrderTaxDocument,
    StaffOrderSerializer,
)
from apps.orders.services import Plan


class SeenInput(StrictSerializer):
    """Every change after the sale can be looked at first."""

    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text="Shown to the customer on the order's timeline.",
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Only tell what it would come to; nothing is written."
    )
    version = serializers.CharField(
        required=False,
        max_length=64,
        help_text="From a dry run: refused if the order has changed since.",
    )
    expected_total = MoneyField(
        required=False, help_text="From a dry run: refused if it would be another one."
    )


class LineChangeInput(StrictSerializer):
    id = serializers.UUIDField(required=False, help_text="A line of the order; or:")
    sku = serializers.CharField(required=False, max_length=100, help_text="An item to add.")
    quantity = QuantityField(required=False, min_value=0, help_text="In all; 0 takes the line out.")
    unit_price = MoneyField(
        required=False, help_text="Needs the permission orders.edit_price, and a reason."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("id" in data) == ("sku" in data):
            raise serializers.ValidationError(_("Name either a line or an item."))
        return data


class OrderEditInput(SeenInput):
    lines = LineChangeInput(many=True, required=False, max_length=200)
    shipping_address = AddressSerializer(required=False)
    billing_address = AddressSerializer(required=False)
    shipping_method = serializers.CharField(required=False, max_length=60)


class CancelledLineInput(StrictSerializer):
    id = serializers.UUIDField()
    quantity = QuantityField(help_text="Pieces that go.")


class CancelLinesInput(SeenInput):
    lines = CancelledLineInput(many=True, allow_empty=False, max_length=200)


class PlannedLineDocument(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True, help_text="null: a new line.")
    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    is_gift = serializers.BooleanField()
    unit_price = MoneyDocument()
    subtotal = MoneyDocument()
    discount = MoneyDocument()
    tax = MoneyDocument()
    total = MoneyDocument()


class StockProblemDocument(serializers.Serializer):
    code = serializers.CharField(help_text="out_of_stock")
    sku = serializers.CharField()
    available = serializers.IntegerField(help_text="How many more could be had.")


class EditPreviewDocument(serializers.Serializer):
    lines = PlannedLineDocument(many=True)
    totals = TotalsSerializer()
    discounts = OrderDiscountDocument(many=True)
    taxes = OrderTaxDocument(many=True)
    problems = StockProblemDocument(many=True)


@extend_schema_serializer(component_name="OrderEditResult")
class OrderEditResultSerializer(serializers.Serializer):
    version = serializers.CharField(help_text="Of the order before the change.")
    total_before = MoneyDocument()
    total_after = MoneyDocument()
    delta = MoneyDocument(help_text="Positive: the customer owes it; negative: it goes back.")
    preview = EditPreviewDocument(allow_null=True, help_text="Of a dry run.")
    order = StaffOrderSerializer(allow_null=True, help_text="As it is after the change.")


def result_json(
    *, version: str, totals: tuple[int, int], currency: str, **documents: Any
) -> dict[str, Any]:
    before, after = totals
    return {
        "version": version,
        "total_before": money_json(before, currency),
        "total_after": money_json(after, currency),
        "delta": money_json(after - before, currency),
        "preview": None,
        "order": None,
        **documents,
    }


def preview_json(plan: Plan) -> dict[str, Any]:
    """What the order would be."""
    quote = plan.quotation.quote

    def money(row: Any, *names: str) -> dict[str, Any]:
        return {name: money_json(getattr(row, name), quote.currency) for name in names}

    return {
        "lines": [
            {
                "id": str(planned.line.public_id) if planned.line else None,
                "sku": planned.quoted.sku,
                "quantity": planned.quoted.quantity,
                "is_gift": planned.quoted.is_gift,
                **money(planned.quoted, "unit_price", "subtotal", "discount", "tax", "total"),
            }
            for planned in plan.lines
        ],
        "totals": {
            **money(quote, "subtotal", "discount", "shipping", "tax", "total"),
            "tax_included": quote.tax_included,
        },
        "discounts": [
            {
                "code": row.coupon or row.code,
                "name": row.name,
                "target": row.target,
                **money(row, "amount"),
            }
            for row in quote.discounts
        ],
        "taxes": [
            {"name": row.name, "percent": str(row.percent), **money(row, "base", "amount")}
            for row in quote.taxes
        ],
        "problems": list(plan.problems),
    }
