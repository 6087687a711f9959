"""A promotion that nobody has saved, tried on a basket: two rooms behind one address."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import (
    MoneyDocument,
    QuantityField,
    RowField,
    StrictSerializer,
    TotalsSerializer,
)
from apps.core.api.views import PlainViewSet
from apps.core.money import money_json
from apps.customers.models import CustomerGroup
from apps.pricing.engines.quote import Quote
from apps.pricing.selectors import explain_quote
from apps.pricing.services import Sample, preview_promotion
from apps.promotions.api.serializers import PromotionDraftSerializer
from apps.promotions.models import Promotion
from apps.stores.models import Store
from apps.stores.selectors import currency_for, default_store


class _Line(StrictSerializer):
    sku = serializers.CharField(max_length=100)
    quantity = QuantityField()


class _Draft(PromotionDraftSerializer):
    """A promotion as it would be saved. Its stores and limits aren't looked at."""

    code = serializers.SlugField(
        max_length=60, required=False, help_text="Of the promotion that it would change."
    )
    name = serializers.CharField(max_length=120, required=False)


class PreviewInput(StrictSerializer):
    promotion = _Draft()
    lines = _Line(many=True, min_length=1, max_length=50)  # type: ignore[call-arg]
    store = RowField(Store.objects.filter(is_active=True), required=False)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    country = serializers.RegexField("^[A-Z]{2}$", required=False)
    region = serializers.CharField(max_length=100, required=False)
    shipping_method = serializers.CharField(max_length=60, required=False)
    group = RowField(CustomerGroup.objects.all(), required=False)
    email = serializers.EmailField(max_length=254, required=False)
    first_order = serializers.BooleanField(required=False)
    at = serializers.DateTimeField(
        required=False, help_text="Now, or when the promotion begins if that is later."
    )


class _Step(serializers.Serializer[Any]):
    title = serializers.CharField()
    text = serializers.CharField()
    amount = serializers.CharField(help_text="Money, or empty.")


class _Verdict(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="The promotion's.")
    coupon = serializers.CharField()
    reason = serializers.CharField(help_text="`applied`, or a stable code of why not.")
    amount = MoneyDocument()


class PreviewSerializer(serializers.Serializer[Any]):
    before = TotalsSerializer(help_text="Without the promotion.")
    after = TotalsSerializer(help_text="With it.")
    saved = MoneyDocument()
    promotions = _Verdict(many=True, help_text="What became of each promotion.")
    explanation = _Step(many=True, help_text="Why the total with it is what it is, in words.")


class PromotionPreview(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"create": "promotions.change_promotion"}

    @extend_schema(
        summary="Try a promotion on a basket",
        description="Nothing is saved. The draft counts as active and its code as typed; beside"
        " it applies what else is active now.",
        request=PreviewInput,
        responses={200: PreviewSerializer},
        tags=["promotions"],
    )
    def create(self, request: Any) -> Response:
        data = PreviewInput(data=request.data)
        data.is_valid(raise_exception=True)
        values = dict(data.validated_data)
        draft = values.pop("promotion")
        draft.pop("stores", None)
        values["store"] = store = values.get("store") or default_store()
        values["currency"] = currency_for(store, values.get("currency"))
        values["lines"] = [(line["sku"], line["quantity"]) for line in values["lines"]]
        promotion = Promotion(**{"code": "draft", "name": "Draft", **draft})
        found = preview_promotion(promotion=promotion, sample=Sample(**values))
        return Response(_document(found.before, found.after))


def _document(before: Quote, after: Quote) -> dict[str, Any]:
    currency = after.currency
    return {
        "before": _totals(before),
        "after": _totals(after),
        "saved": money_json(before.total - after.total, currency),
        "promotions": [
            {
                **{name: step.facts[name] for name in ("code", "coupon", "reason")},
                "amount": money_json(step.facts["amount"], currency),
            }
            for step in after.trace
            if step.step == "promotion"
        ],
        "explanation": [
            {"title": step.title, "text": step.text, "amount": step.amount}
            for step in explain_quote(after)
        ],
    }


def _totals(quote: Quote) -> dict[str, Any]:
    names = ("subtotal", "discount", "shipping", "tax", "total")
    amounts = {name: money_json(getattr(quote, name), quote.currency) for name in names}
    return {**amounts, "tax_included": quote.tax_included}
