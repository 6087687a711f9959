"""Input of the returns' API, and the documented shape of its output."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import MoneyDocument, QuantityField, RowField, StrictSerializer
from apps.core.photos import CONTENT_TYPES, MAX_PHOTOS
from apps.inventory.models import Location
from apps.returns import states
from apps.returns.models import (
    Condition,
    Inspection,
    ReturnLine,
    ReturnPhoto,
    ReturnPolicy,
    ReturnRequest,
)

_STATUSES = ReturnRequest.Status.choices


class ReturnLineDocument(serializers.Serializer):
    id = serializers.UUIDField()
    order_line = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    received_quantity = serializers.IntegerField()
    accepted_quantity = serializers.IntegerField(help_text="What is refunded.")
    reason = serializers.ChoiceField(ReturnLine.Reason.choices)
    condition = serializers.ChoiceField(Condition.choices)
    exchange_for = serializers.CharField(help_text="The SKU that is sent instead; or empty.")


class InspectionDocument(serializers.Serializer):
    outcome = serializers.ChoiceField(Inspection.Outcome.choices)
    quantity = serializers.IntegerField()
    location = serializers.CharField()


class StaffReturnLineDocument(ReturnLineDocument):
    inspections = InspectionDocument(many=True)


class ReturnAmountsDocument(serializers.Serializer):
    """refund = goods - fee - label + shipping, or what was left of the order's money."""

    goods = MoneyDocument()
    fee = MoneyDocument()
    label = MoneyDocument(help_text="What of the return label's price the customer bears.")
    shipping = MoneyDocument()
    refund = MoneyDocument()


class SettledAmountsDocument(ReturnAmountsDocument):
    credit = MoneyDocument(help_text="What of the refund is set against the replacement.")


class ReturnEstimateDocument(SettledAmountsDocument):
    paid = MoneyDocument(help_text="For the pieces; `goods` is less where a promotion breaks.")
    replacement = MoneyDocument(allow_null=True, help_text="What is sent instead costs so much.")
    to_pay = MoneyDocument(help_text="What it costs beyond the refund.")


class ReplacementDocument(serializers.Serializer):
    order = serializers.CharField()
    status = serializers.CharField()
    total = MoneyDocument()


class ReturnLabelDocument(serializers.Serializer):
    status = serializers.CharField(help_text="pending, bought or voiding.")
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    parcel_status = serializers.CharField(help_text="As the carrier says; empty: not known yet.")


class StaffReturnLabelDocument(ReturnLabelDocument):
    service = serializers.CharField()
    location = serializers.CharField(help_text="Where it goes.")
    price = MoneyDocument(allow_null=True)
    is_deducted = serializers.BooleanField(help_text="Its price is taken off the refund.")
    error = serializers.CharField()


class ReturnTimelineDocument(serializers.Serializer):
    kind = serializers.CharField()
    message = serializers.CharField()
    created_at = serializers.DateTimeField()


class StaffReturnTimelineDocument(ReturnTimelineDocument):
    actor = serializers.CharField()


class PayoutDocument(serializers.Serializer):
    amount = MoneyDocument()
    payment = serializers.UUIDField(allow_null=True)
    status = serializers.CharField()


class ReturnPhotoDocument(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(ReturnPhoto.Status.choices)
    error = serializers.CharField(help_text="Why it was refused.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(component_name="Return")
class ReturnSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()
    order = serializers.CharField()
    kind = serializers.ChoiceField(ReturnRequest.Kind.choices)
    status = serializers.ChoiceField(_STATUSES)
    refund_to = serializers.ChoiceField(ReturnRequest.RefundTo.choices)
    shipping_paid_by = serializers.ChoiceField(ReturnPolicy.Payer.choices)
    note = serializers.CharField()
    reason = serializers.CharField(help_text="Why it was declined.")
    lines = ReturnLineDocument(many=True)
    amounts = SettledAmountsDocument(allow_null=True, help_text="Once it is settled.")
    label = ReturnLabelDocument(allow_null=True, help_text="Bought for it; see `label/`.")
    replacement = ReplacementDocument(allow_null=True, help_text="What was ordered instead.")
    photos = ReturnPhotoDocument(many=True)
    timeline = ReturnTimelineDocument(many=True)
    created_at = serializers.DateTimeField()
    refunded_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="StaffReturn")
class StaffReturnSerializer(ReturnSerializer):
    email = serializers.CharField()
    location = serializers.CharField(allow_null=True)
    lines = StaffReturnLineDocument(many=True)
    label = StaffReturnLabelDocument(allow_null=True)
    timeline = StaffReturnTimelineDocument(many=True)
    payouts = PayoutDocument(many=True)
    allowed_events = serializers.ListField(child=serializers.CharField())


class ExchangeChoiceDocument(serializers.Serializer):
    sku = serializers.CharField()
    label = serializers.CharField()


class ReturnTermsDocument(serializers.Serializer):
    order_line = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    pieces = serializers.IntegerField(help_text="That may still come back.")
    may_return = serializers.BooleanField()
    may_withdraw = serializers.BooleanField(help_text="Directive 2011/83/EU, article 9.")
    return_until = serializers.DateField(allow_null=True)
    withdraw_until = serializers.DateField(allow_null=True)
    condition = serializers.ChoiceField(Condition.choices, help_text="The worst accepted.")
    is_final_sale = serializers.BooleanField()
    fee_percent = serializers.CharField()
    fee_fixed = MoneyDocument()
    shipping_paid_by = serializers.ChoiceField(ReturnPolicy.Payer.choices)
    exchange_for = ExchangeChoiceDocument(many=True, help_text="Variants that are there now.")


@extend_schema_serializer(component_name="ReturnTerms")
class TermsSerializer(serializers.Serializer):
    lines = ReturnTermsDocument(many=True)


class ReturnWishInput(StrictSerializer):
    order_line = serializers.UUIDField()
    quantity = QuantityField()
    reason = serializers.ChoiceField(ReturnLine.Reason.choices)
    condition = serializers.ChoiceField(Condition.choices, default=Condition.UNUSED)
    exchange_for = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="The SKU of which as many shall be sent instead: another variant of the same"
        " product; of any product for staff.",
    )


class ReturnWishesInput(StrictSerializer):
    lines = ReturnWishInput(many=True, min_length=1, max_length=200)

    def validate_lines(self, lines: list) -> list:
        if len({line["order_line"] for line in lines}) != len(lines):
            raise serializers.ValidationError(_("Each line once."))
        return lines


class ReturnPreviewInput(ReturnWishesInput):
    kind = serializers.ChoiceField(ReturnRequest.Kind.choices, default=ReturnRequest.Kind.RETURN)


class ReturnRequestInput(ReturnPreviewInput):
    refund_to = serializers.ChoiceField(
        ReturnRequest.RefundTo.choices, default=ReturnRequest.RefundTo.ORIGINAL
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    photos = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MAX_PHOTOS,
        help_text="Ids of uploads, in the order of the photos. Not for a withdrawal.",
    )

    def validate(self, data: dict) -> dict:
        if data.get("photos") and data["kind"] == ReturnRequest.Kind.WITHDRAWAL:
            raise serializers.ValidationError({"photos": [_("Not for a withdrawal.")]})
        return data


class ReturnUploadInput(StrictSerializer):
    content_type = serializers.ChoiceField(CONTENT_TYPES)


class ReturnUploadSerializer(serializers.Serializer):
    """Send `fields`, then the file as `file`, in multipart/form-data to `url`."""

    id = serializers.UUIDField(help_text="Names the photo in the return.")
    url = serializers.CharField()
    method = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]
    expires_at = serializers.DateTimeField()


class ReturnFileInput(StrictSerializer):
    token = serializers.CharField(max_length=1000)
    file = serializers.FileField()


class ApproveReturnInput(StrictSerializer):
    send_now = serializers.BooleanField(
        default=False, help_text="Order what it is exchanged for at once, before it is back."
    )


class BuyReturnLabelInput(StrictSerializer):
    carrier = serializers.SlugField(max_length=40, help_text="A code of SHIPPING_CARRIERS.")
    service = serializers.CharField(max_length=60, help_text="The carrier's code of its service.")
    location = RowField(
        Location.objects.filter(is_active=True),
        required=False,
        help_text="Where it goes; else where the store sends from first.",
    )


class DeclineReturnInput(StrictSerializer):
    reason = serializers.CharField(max_length=500, help_text="The customer reads it.")


class ReceivedInput(StrictSerializer):
    id = serializers.UUIDField(help_text="The return's line.")
    quantity = QuantityField()


class ReceiveReturnInput(StrictSerializer):
    location = RowField(Location.objects.filter(is_active=True))
    lines = ReceivedInput(many=True, required=False, max_length=200)


class FindingInput(StrictSerializer):
    id = serializers.UUIDField(help_text="The return's line.")
    outcome = serializers.ChoiceField(Inspection.Outcome.choices)
    quantity = QuantityField()


class InspectReturnInput(StrictSerializer):
    findings = FindingInput(many=True, required=False, max_length=1000)


class ReturnRefundInput(StrictSerializer):
    refund_to = serializers.ChoiceField(ReturnRequest.RefundTo.choices, required=False)
    waive_fee = serializers.BooleanField(default=False)


class WithdrawInput(StrictSerializer):
    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254, help_text="Where it is acknowledged.")


class WithdrawByNumberInput(WithdrawInput):
    number = serializers.CharField(max_length=30)


@extend_schema_serializer(component_name="Withdrawal")
class WithdrawalSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    return_id = serializers.UUIDField(source="request.public_id", default=None, allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField()
    created_at = serializers.DateTimeField()


STATES_TOLD = "; ".join(
    f"{source} → {target} ({event})" for (source, event), target in states.TRANSITIONS.items()
)
