"""Input of carts and checkout, and the documented shape of a cart."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.checkout.services.carts import MAX_LINES
from apps.checkout.services.codes import MAX_CODES
from apps.core.api.serializers import (
    AddressSerializer,
    MoneyDocument,
    MoneyField,
    QuantityField,
    StrictSerializer,
    TotalsSerializer,
)


class LineInput(StrictSerializer):
    sku = serializers.CharField(max_length=100)
    quantity = QuantityField()


class GiftCardRecipientInput(StrictSerializer):
    """Who gets the gift cards of a line."""

    recipient_email = serializers.EmailField(max_length=254)
    sender_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    message = serializers.CharField(required=False, allow_blank=True, max_length=500)


class LineChanges(StrictSerializer):
    quantity = QuantityField(required=False)
    gift_card = GiftCardRecipientInput(
        required=False, allow_null=True, help_text="Null: the buyer gets the cards."
    )


class CartInput(StrictSerializer):
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    lines = LineInput(many=True, required=False, max_length=MAX_LINES)  # type: ignore[call-arg]


class NullableAddress(AddressSerializer):
    """An address; null removes it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, required=False, allow_null=True, **kwargs)


class CartChanges(StrictSerializer):
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    shipping_address = NullableAddress()
    billing_address = NullableAddress()
    shipping_method = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=60
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class PaymentInput(StrictSerializer):
    gateway = serializers.CharField(max_length=30, help_text='"manual", "stripe", …')
    method = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=120,
        help_text="The gateway's token for the method; without one the browser finishes.",
    )
    return_url = serializers.URLField(required=False, allow_blank=True, max_length=500)


class ShopperPaymentInput(PaymentInput):
    """What a shopper may choose beside: to have a method kept, and one that is kept."""

    gateway = serializers.CharField(
        required=False,
        max_length=30,
        help_text='"manual", "stripe", …; not needed beside a `saved_method`.',
    )
    save_method = serializers.BooleanField(
        default=False, help_text="Keep the method for later; only with an account."
    )
    saved_method = serializers.UUIDField(
        required=False, help_text="One of `/me/payment-methods/`, in place of a `method`."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if "saved_method" not in data:
            if "gateway" not in data:
                missing = {"gateway": [_("This field is required.")]}
                raise serializers.ValidationError(missing, code="required")
        elif data.get("method") or data["save_method"]:
            raise serializers.ValidationError({"saved_method": [_("It is a method already kept.")]})
        return data


class CheckoutInput(StrictSerializer):
    payment = ShopperPaymentInput(
        required=False,
        help_text="Not needed when gift cards and store credit leave nothing to pay.",
    )
    expected_total = MoneyField(required=False)


class CodeInput(StrictSerializer):
    code = serializers.CharField(max_length=40)


class OneCallInput(CheckoutInput):
    discounts = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=MAX_CODES
    )
    lines = LineInput(many=True, min_length=1, max_length=MAX_LINES)  # type: ignore[call-arg]
    email = serializers.EmailField(max_length=254)
    shipping_address = AddressSerializer(required=False)
    billing_address = AddressSerializer(required=False)
    shipping_method = serializers.CharField(required=False, allow_blank=True, max_length=60)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


@extend_schema_field({"$ref": "#/components/schemas/Order"})
class OrderDocument(serializers.JSONField):
    """Shaped by the orders' room."""


class CartThumbnailDocument(serializers.Serializer):
    url = serializers.CharField()
    alt = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class CartProductDocument(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    thumbnail = CartThumbnailDocument(allow_null=True)


class AvailabilityDocument(serializers.Serializer):
    status = serializers.ChoiceField(["in_stock", "out_of_stock", "unavailable"])
    available_quantity = serializers.IntegerField(
        allow_null=True, help_text="Null: as many as wanted."
    )


class CartLineDocument(serializers.Serializer):
    id = serializers.UUIDField()
    sku = serializers.CharField()
    product = CartProductDocument()
    options = serializers.DictField(child=serializers.CharField())
    quantity = serializers.IntegerField()
    unit_price = MoneyDocument(allow_null=True)
    compare_at_price = MoneyDocument(allow_null=True)
    line_total = MoneyDocument()
    gift_card = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="Who gets its gift cards: recipient_email, sender_name, message.",
    )
    availability = AvailabilityDocument()


class CartDiscountDocument(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    amount = MoneyDocument()
    target = serializers.ChoiceField(
        ["items", "shipping", "gift"],
        help_text="Those of shipping are off the shipping price already.",
    )


class CartCodeDocument(serializers.Serializer):
    code = serializers.CharField()
    applied = serializers.BooleanField()
    reason = serializers.CharField(
        help_text="applied, spend_too_low, too_few, nothing_matches, beaten, ended, used_up, …"
    )


class GiftProductDocument(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()


class CartGiftDocument(serializers.Serializer):
    sku = serializers.CharField()
    product = GiftProductDocument()
    quantity = serializers.IntegerField()
    unit_price = MoneyDocument()


class StepDocument(serializers.Serializer):
    step = serializers.CharField(help_text="promotion, shipping, tax, catalogue_price, …")
    facts = serializers.DictField()


class CartProblemDocument(serializers.Serializer):
    code = serializers.CharField(help_text="Stable: out_of_stock, price_changed, missing_email, …")
    message = serializers.CharField()
    line_id = serializers.UUIDField(allow_null=True)


class CartTotalsDocument(TotalsSerializer):
    due = MoneyDocument(help_text="The total without what gift cards and store credit pay.")


class CartCreditDocument(serializers.Serializer):
    balance = MoneyDocument()
    amount = MoneyDocument(help_text="What of it pays this cart.")


class CartGiftCardDocument(CartCreditDocument):
    last4 = serializers.CharField()


@extend_schema_serializer(component_name="Cart")
class CartSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.CharField()
    currency = serializers.CharField()
    lines = CartLineDocument(many=True)
    totals = CartTotalsDocument()
    discounts = CartDiscountDocument(many=True)
    codes = CartCodeDocument(many=True)
    gifts = CartGiftDocument(many=True)
    gift_cards = CartGiftCardDocument(many=True)
    store_credit = CartCreditDocument(allow_null=True)
    explanation = StepDocument(many=True, required=False, help_text="With `?explain=1`.")
    email = serializers.CharField()
    shipping_address = AddressSerializer(allow_null=True)
    billing_address = AddressSerializer(allow_null=True)
    shipping_method = serializers.CharField(allow_null=True)
    note = serializers.CharField()
    problems = CartProblemDocument(many=True)


class EstimatedDaysDocument(serializers.Serializer):
    min = serializers.IntegerField()
    max = serializers.IntegerField()


class EstimatedDeliveryDocument(serializers.Serializer):
    earliest = serializers.DateField()
    latest = serializers.DateField()


class ShippingOfferSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    price = MoneyDocument()
    estimated_days = EstimatedDaysDocument()
    estimated_delivery = EstimatedDeliveryDocument(
        help_text="With the cut-off time, weekends and holidays, if it is ordered now."
    )
    kind = serializers.ChoiceField(["delivery", "pickup"])


class DutiesDocument(serializers.Serializer):
    terms = serializers.ChoiceField(
        ["DDP", "DAP"], help_text="DDP: the shop bears the duties; DAP: who gets the parcel."
    )
    is_estimate = serializers.BooleanField(help_text="Always true: customs decide.")
    amount = MoneyDocument()
    is_free = serializers.BooleanField(help_text="Worth too little to pay any.")
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="SKUs without a rate; not in the amount."
    )


class CartDutiesSerializer(serializers.Serializer):
    duties = DutiesDocument(allow_null=True)


class PlacedPaymentDocument(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.CharField()
    client_secret = serializers.CharField(allow_null=True)
    redirect_url = serializers.CharField(allow_null=True)


class PlacedSerializer(serializers.Serializer):
    order = OrderDocument(help_text="With `token`, a guest's key to it.")
    payment = PlacedPaymentDocument(allow_null=True)
