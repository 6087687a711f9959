"""Input of the orders' API, and the documented shape of its output."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import (
    AddressSerializer,
    MoneyDocument,
    StrictSerializer,
    TotalsSerializer,
)
from apps.orders import states
from apps.orders.models import Order


class OrderLineDocument(serializers.Serializer):
    id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    quantity = serializers.IntegerField()
    fulfilled_quantity = serializers.IntegerField()
    returned_quantity = serializers.IntegerField(help_text="Coming back, or back.")
    gift_card = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="Who gets its gift cards: recipient_email, sender_name, message.",
    )
    unit_price = MoneyDocument()
    subtotal = MoneyDocument()
    discount = MoneyDocument()
    tax = MoneyDocument()
    total = MoneyDocument()


class OrderDiscountDocument(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    amount = MoneyDocument()
    target = serializers.ChoiceField(["items", "shipping", "gift"])


class OrderTaxDocument(serializers.Serializer):
    name = serializers.CharField()
    percent = serializers.CharField()
    base = MoneyDocument()
    amount = MoneyDocument()


class OrderAddressesDocument(serializers.Serializer):
    shipping = AddressSerializer()
    billing = AddressSerializer()


class OrderShippingMethodDocument(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class OrderPaymentDocument(serializers.Serializer):
    id = serializers.UUIDField()
    gateway = serializers.CharField()
    status = serializers.CharField()
    amount = MoneyDocument()
    captured = MoneyDocument()
    refunded = MoneyDocument()
    is_test = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class OrderFulfillmentLineDocument(serializers.Serializer):
    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class OrderFulfillmentDocument(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.CharField()
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    shipped_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    lines = OrderFulfillmentLineDocument(many=True)


class TimelineDocument(serializers.Serializer):
    kind = serializers.CharField()
    message = serializers.CharField()
    from_status = serializers.CharField(allow_null=True)
    to_status = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class StaffTimelineDocument(TimelineDocument):
    actor = serializers.CharField()
    is_public = serializers.BooleanField()
    data = serializers.DictField()


@extend_schema_serializer(component_name="OrderSummary")
class OrderSummarySerializer(serializers.Serializer):
    number = serializers.CharField()
    status = serializers.ChoiceField(Order.Status.choices)
    payment_status = serializers.ChoiceField(Order.PaymentStatus.choices)
    fulfillment_status = serializers.ChoiceField(Order.FulfillmentStatus.choices)
    email = serializers.CharField()
    currency = serializers.CharField()
    total = MoneyDocument()
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="StaffOrderSummary")
class StaffOrderSummarySerializer(OrderSummarySerializer):
    tags = serializers.ListField(child=serializers.CharField())
    assignee = serializers.EmailField(allow_null=True)


@extend_schema_serializer(component_name="Order")
class OrderSerializer(OrderSummarySerializer):
    store = serializers.CharField()
    language = serializers.CharField()
    note = serializers.CharField()
    split_from = serializers.CharField(
        allow_null=True, help_text="The number of the order that its pieces were sold in."
    )
    lines = OrderLineDocument(many=True)
    totals = TotalsSerializer()
    discounts = OrderDiscountDocument(many=True)
    taxes = OrderTaxDocument(many=True)
    tax_note = serializers.CharField(help_text="What an invoice must say about the tax; or empty.")
    addresses = OrderAddressesDocument()
    shipping_method = OrderShippingMethodDocument(allow_null=True)
    payments = OrderPaymentDocument(many=True)
    fulfillments = OrderFulfillmentDocument(many=True)
    timeline = TimelineDocument(many=True)


@extend_schema_serializer(component_name="StaffOrder")
class StaffOrderSerializer(OrderSerializer):
    timeline = StaffTimelineDocument(many=True)
    on_hold = serializers.BooleanField(help_text="Nothing of it may be shipped.")
    allowed_events = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    assignee = serializers.EmailField(allow_null=True)


class StatusInput(StrictSerializer):
    status = serializers.ChoiceField(states.STATES)
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class NoteInput(StrictSerializer):
    message = serializers.CharField(max_length=5000)
    is_public = serializers.BooleanField(default=False)


class CancelInput(StrictSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)
