"""Gift cards and store credit: what a shopper may ask, and what staff may do."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Public, SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.money import Money
from apps.customers.services.registration import get_or_create_for_user
from apps.payments import services
from apps.payments.api.filters import GiftCardFilter, StoreCreditFilter
from apps.payments.api.gift_card_serializers import (
    AdjustInput,
    BalanceSerializer,
    GiftCardCodeInput,
    GiftCardDetailSerializer,
    GiftCardInput,
    GiftCardSerializer,
    IssuedSerializer,
    MyStoreCreditSerializer,
    ReasonInput,
    ResendInput,
    StoreCreditDetailSerializer,
    StoreCreditInput,
    StoreCreditSerializer,
)
from apps.payments.models import GiftCard, StoreCredit, StoredValueEntry, WrongCurrency
from apps.payments.selectors import store_credit_of
from apps.stores.selectors import current_store

_ENTRIES = Prefetch("entries", StoredValueEntry.objects.select_related("stored_value"))


class BalanceView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="What is left on a gift card",
        description="The same answer (`invalid_gift_card`) for an unknown and a disabled code."
        " Attempts are limited per account and network (429).",
        request=GiftCardCodeInput,
        responses={200: BalanceSerializer},
        tags=["gift cards"],
    )
    def create(self, request: Any) -> Response:
        data = GiftCardCodeInput(data=request.data)
        data.is_valid(raise_exception=True)
        card = services.look_up_balance(code=data.validated_data["code"])
        return Response(BalanceSerializer(card).data)


class MyStoreCreditView(PlainViewSet):
    permission_classes = [SignedIn]

    @extend_schema(
        summary="My store credit", responses={200: MyStoreCreditSerializer}, tags=["account"]
    )
    def retrieve(self, request: Any) -> Response:
        accounts = store_credit_of(get_or_create_for_user(user=request.user))
        return Response(MyStoreCreditSerializer({"accounts": accounts}).data)


class _StoredValues(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """What both kinds have in common."""

    permission_classes = [Staff]
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows if self.action == "list" else rows.prefetch_related(_ENTRIES)

    def _input(self, serializer_class: Any) -> dict[str, Any]:
        data = serializer_class(data=self.request.data)
        data.is_valid(raise_exception=True)
        return data.validated_data


class GiftCardViewSet(_StoredValues):
    required_permissions = {
        "list": "payments.view_giftcard",
        "retrieve": "payments.view_giftcard",
        "create": "payments.add_giftcard",
        "adjust": "payments.change_giftcard",
        "disable": "payments.change_giftcard",
        "resend": "payments.change_giftcard",
    }
    # Not `create`: its answer holds the code, which must not be kept for a replay.
    idempotent = frozenset({"adjust", "disable", "resend"})
    queryset = GiftCard.objects.select_related("customer", "store")
    serializer_class = GiftCardSerializer
    filterset_class = GiftCardFilter

    @extend_schema(summary="List gift cards", tags=["gift cards"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="A gift card with its ledger",
        responses={200: GiftCardDetailSerializer},
        tags=["gift cards"],
    )
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(GiftCardDetailSerializer(self.get_object()).data)

    @extend_schema(
        summary="Issue a gift card",
        description="The code is in this answer, and in the recipient's mail, and nowhere else."
        " Takes no Idempotency-Key, whose answers are kept; a `reference` is used once.",
        request=GiftCardInput,
        responses={201: IssuedSerializer},
        tags=["gift cards"],
    )
    def create(self, request: Any) -> Response:
        data = self._input(GiftCardInput)
        money: Money = data.pop("amount")
        data.setdefault("store", current_store(request))
        draft = services.GiftCardDraft(amount=money.amount, currency=money.currency, **data)
        issued = services.issue_gift_card(draft=draft)
        body = GiftCardSerializer(issued.card).data
        return Response({**body, "code": issued.code}, status=201)

    @extend_schema(
        summary="Correct a gift card's balance",
        request=AdjustInput,
        responses={201: GiftCardDetailSerializer},
        tags=["gift cards"],
    )
    def adjust(self, request: Any, **kwargs: Any) -> Response:
        card, data = self.get_object(), self._input(AdjustInput)
        if data["amount"].currency != card.currency:
            raise WrongCurrency(field="amount", extra={"currency": card.currency})
        services.adjust(
            stored_value=card,
            delta=data["amount"].amount,
            reason=data["reason"],
            key=self.idempotency_digest,
        )
        return self._answer(status=201)

    @extend_schema(
        summary="Disable a gift card",
        description="What is on it stays owed, until it is adjusted.",
        request=ReasonInput,
        responses={200: GiftCardDetailSerializer},
        tags=["gift cards"],
    )
    def disable(self, request: Any, **kwargs: Any) -> Response:
        card, data = self.get_object(), self._input(ReasonInput)
        services.disable(stored_value=card, reason=data.get("reason", ""))
        return self._answer()

    @extend_schema(
        summary="Mail a gift card again, with a new code",
        description="The old code is dead from then on.",
        request=ResendInput,
        responses={200: GiftCardDetailSerializer},
        tags=["gift cards"],
    )
    def resend(self, request: Any, **kwargs: Any) -> Response:
        card, data = self.get_object(), self._input(ResendInput)
        services.resend(card=card, recipient_email=data.get("recipient_email", ""))
        return self._answer()

    def _answer(self, status: int = 200) -> Response:
        return Response(GiftCardDetailSerializer(self.get_object()).data, status=status)


class StoreCreditViewSet(_StoredValues):
    required_permissions = {
        "list": "payments.view_storecredit",
        "retrieve": "payments.view_storecredit",
        "create": "payments.change_storecredit",
    }
    idempotent = frozenset({"create"})
    queryset = StoreCredit.objects.select_related("customer")
    serializer_class = StoreCreditSerializer
    filterset_class = StoreCreditFilter

    @extend_schema(summary="List store credit", tags=["gift cards"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="An account of store credit with its ledger",
        responses={200: StoreCreditDetailSerializer},
        tags=["gift cards"],
    )
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(StoreCreditDetailSerializer(self.get_object()).data)

    @extend_schema(
        summary="Give a customer store credit, or take it off",
        request=StoreCreditInput,
        responses={201: StoreCreditDetailSerializer},
        tags=["gift cards"],
    )
    def create(self, request: Any) -> Response:
        data = self._input(StoreCreditInput)
        entry = services.grant_store_credit(**data, key=self.idempotency_digest)
        account = self.get_queryset().get(pk=entry.stored_value_id)
        return Response(StoreCreditDetailSerializer(account).data, status=201)
