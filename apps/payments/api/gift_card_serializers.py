"""Input and output of gift cards and store credit."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.serializers import MoneyDocument, MoneyField, RowField, StrictSerializer
from apps.customers.models import Customer
from apps.payments.models import GiftCard, StoreCredit, StoredValueEntry
from apps.stores.models import Store


class CustomerField(RowField):
    """A customer's public id."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None:
            data = str(serializers.UUIDField().run_validation(data))
        return super().run_validation(data)


class EntrySerializer(serializers.ModelSerializer[StoredValueEntry]):
    """One movement; below zero it took money off."""

    amount = MoneyField(source="delta", currency="stored_value.currency")
    balance = MoneyField(source="balance_after", currency="stored_value.currency")

    class Meta:
        model = StoredValueEntry
        fields = ["kind", "amount", "balance", "reference", "reason", "actor", "created_at"]


class GiftCardSerializer(serializers.ModelSerializer[GiftCard]):
    """A gift card, for staff; nobody sees its code again."""

    id = serializers.UUIDField(source="public_id")
    balance = MoneyField()
    initial_amount = MoneyField()
    customer = serializers.UUIDField(source="customer.public_id", allow_null=True, default=None)
    store = serializers.CharField(source="store.code", allow_null=True, default=None)

    class Meta:
        model = GiftCard
        fields = [
            *("id", "last4", "status", "initial_amount", "balance", "expires_at", "store"),
            *("customer", "recipient_email", "sender_name", "message", "reference", "created_at"),
        ]


class GiftCardDetailSerializer(GiftCardSerializer):
    entries = EntrySerializer(many=True)

    class Meta(GiftCardSerializer.Meta):
        fields = [*GiftCardSerializer.Meta.fields, "entries"]


class IssuedSerializer(GiftCardSerializer):
    code = serializers.CharField(help_text="In this answer only: it is stored nowhere.")

    class Meta(GiftCardSerializer.Meta):
        fields = [*GiftCardSerializer.Meta.fields, "code"]


class GiftCardInput(StrictSerializer):
    amount = MoneyField(minimum=1)
    store = RowField(Store.objects.all(), required=False, help_text="A store's code.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    customer = CustomerField(
        Customer.objects.all(), key="public_id", required=False, help_text="A customer's id."
    )
    recipient_email = serializers.EmailField(
        required=False, allow_blank=True, help_text="Gets the code by mail."
    )
    sender_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    message = serializers.CharField(required=False, allow_blank=True, max_length=500)
    language = serializers.CharField(required=False, max_length=10)
    reference = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Your own: a second card for it is refused (`gift_card_issued`).",
    )


class AdjustInput(StrictSerializer):
    amount = MoneyField(minimum=None, help_text="Below zero it takes money off.")
    reason = serializers.CharField(max_length=300)


class ReasonInput(StrictSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class ResendInput(StrictSerializer):
    recipient_email = serializers.EmailField(required=False, allow_blank=True)


class StoreCreditSerializer(serializers.ModelSerializer[StoreCredit]):
    id = serializers.UUIDField(source="public_id")
    customer = serializers.UUIDField(source="customer.public_id")
    email = serializers.EmailField(source="customer.email")
    balance = MoneyField()

    class Meta:
        model = StoreCredit
        fields = ["id", "customer", "email", "balance", "created_at", "updated_at"]


class StoreCreditDetailSerializer(StoreCreditSerializer):
    entries = EntrySerializer(many=True)

    class Meta(StoreCreditSerializer.Meta):
        fields = [*StoreCreditSerializer.Meta.fields, "entries"]


class StoreCreditInput(AdjustInput):
    customer = CustomerField(Customer.objects.all(), key="public_id", help_text="A customer's id.")


class GiftCardCodeInput(StrictSerializer):
    code = serializers.CharField(max_length=100)


class BalanceSerializer(serializers.ModelSerializer[GiftCard]):
    """What a card's holder may know of it."""

    balance = MoneyField()

    class Meta:
        model = GiftCard
        fields = ["last4", "balance", "expires_at"]


class _AccountSerializer(serializers.Serializer[StoreCredit]):
    balance = MoneyField()


class MyStoreCreditSerializer(serializers.Serializer[dict[str, Any]]):
    accounts = _AccountSerializer(many=True, help_text="One for each currency.")


class RefundPartSerializer(serializers.Serializer[dict[str, Any]]):
    payment = serializers.UUIDField()
    gateway = serializers.CharField()
    amount = MoneyDocument()


class RefundProposalSerializer(serializers.Serializer[dict[str, Any]]):
    parts = RefundPartSerializer(many=True)
