"""What staff do with orders where goods, stock and money meet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from apps.checkout import services
from apps.checkout.api.serializers import (
    CartSerializer,
    LineInput,
    OneCallInput,
    PaymentInput,
    PlacedSerializer,
)
from apps.checkout.api.views import OneCallView, payment_choice, valid, wish_of
from apps.checkout.services.carts import MAX_LINES
from apps.core.api.permissions import Staff, holds
from apps.core.api.serializers import (
    MoneyDocument,
    MoneyField,
    QuantityField,
    StrictSerializer,
)
from apps.core.api.views import PlainViewSet
from apps.core.money import money_json
from apps.customers.models import Customer
from apps.orders.selectors import order_for_staff, order_json, orders_for_staff
from apps.orders.services import check_combinable
from apps.stores.selectors import current_store


class StaffLineInput(LineInput):
    unit_price = MoneyField(
        required=False,
        help_text="In place of the price list's. Needs the permission orders.edit_price.",
    )
    price_reason = serializers.CharField(required=False, max_length=300)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("unit_price" in data) != ("price_reason" in data):
            raise serializers.ValidationError(_("A price and its reason belong together."))
        return data


class StaffOneCallInput(OneCallInput):
    lines = StaffLineInput(many=True, min_length=1, max_length=MAX_LINES)  # type: ignore[call-arg]
    # What a customer had kept is charged by the customer, or by a call of its own.
    payment = PaymentInput(
        required=False,
        help_text="Not needed when gift cards and store credit leave nothing to pay.",
    )
    customer = serializers.UUIDField(required=False, help_text="Whose order it is; or a guest's.")
    dry_run = serializers.BooleanField(
        default=False, help_text="Only tell what it would come to; nothing is written."
    )
    pay_link = serializers.BooleanField(
        default=False,
        help_text="In place of `payment`: the customer is mailed a link to pay by, and the order"
        " waits with its stock as long as the link is good.",
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["pay_link"] and "payment" in data:
            raise serializers.ValidationError({"payment": [_("Not together with a pay link.")]})
        return data


class StaffOneCallView(OneCallView):
    """Staff order for somebody else, who is a guest unless they claim it."""

    permission_classes = [Staff]
    required_permissions = {"create": "orders.add_order"}

    @extend_schema(
        summary="Order for somebody in one call",
        description="`dry_run` answers the cart that would be ordered, with its problems.",
        request=StaffOneCallInput,
        responses={200: CartSerializer, 201: PlacedSerializer},
    )
    def create(self, request: Any) -> Response:
        data = valid(StaffOneCallInput(data=request.data))
        lines = data["lines"]
        data["prices"] = {
            line["sku"]: (line["unit_price"], line["price_reason"])
            for line in lines
            if "unit_price" in line
        }
        if data["prices"] and not holds(request, "orders.edit_price"):
            raise PermissionDenied()
        customer = _customer(data.pop("customer", None))
        payment = services.BY_LINK if data.pop("pay_link") else payment_choice(data)
        if data.pop("dry_run"):
            store, wish = current_store(request), wish_of(data)
            document = services.preview_wish(store=store, wish=wish, customer=customer)
            return Response(document)
        return self.place(request, data, customer, payment)


def _customer(public_id: UUID | None) -> Customer | None:
    if public_id is None:
        return None
    customer = Customer.objects.filter(public_id=public_id).first()
    if customer is None:
        raise ValidationError({"customer": [_("There is no such customer.")]})
    return customer


class CombineInput(StrictSerializer):
    number = serializers.CharField(
        max_length=30, help_text="Of the order that is taken in, and cancelled."
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Only tell what it would come to; nothing is written."
    )


@extend_schema_field({"$ref": "#/components/schemas/StaffOrder"})
class StaffOrderDocument(serializers.JSONField):
    """Shaped by the orders' room."""


@extend_schema_serializer(component_name="CombinedOrder")
class CombinedSerializer(serializers.Serializer):
    total = MoneyDocument()
    order = StaffOrderDocument(required=False, help_text="As it is now; not of a dry run.")


class CombineView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"combine": "orders.edit_order"}
    idempotent = frozenset({"combine"})

    @extend_schema(
        summary="Combine two orders of one customer",
        description="Both confirmed, unshipped, in one currency and to one address. Prices,"
        " discounts, taxes and payments are added up as they are; no money moves.",
        request=CombineInput,
        responses=CombinedSerializer,
    )
    def combine(self, request: Any, number: str) -> Response:
        data = valid(CombineInput(data=request.data))
        order, other = order_for_staff(number), order_for_staff(data["number"])
        if data["dry_run"]:
            check_combinable(order=order, other=other)
            return Response({"total": money_json(order.total + other.total, order.currency)})
        order = services.combine_orders(order=order, other=other)
        fresh = orders_for_staff().get(pk=order.pk)
        total = money_json(fresh.total, fresh.currency)
        return Response({"total": total, "order": order_json(fresh, for_staff=True)})


class SplitLineInput(StrictSerializer):
    id = serializers.UUIDField()
    quantity = QuantityField(help_text="Unshipped pieces that go to the new order.")


class SplitInput(StrictSerializer):
    lines = SplitLineInput(many=True, allow_empty=False, max_length=200)
    dry_run = serializers.BooleanField(
        default=False, help_text="Only tell what both would come to; nothing is written."
    )


@extend_schema_serializer(component_name="SplitOrder")
class SplitSerializer(serializers.Serializer):
    total = MoneyDocument()
    new_total = MoneyDocument()
    order = StaffOrderDocument(required=False, help_text="As it is now; not of a dry run.")
    new_order = StaffOrderDocument(required=False, help_text="The new one; not of a dry run.")


class SplitView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"split": "orders.edit_order"}
    idempotent = frozenset({"split"})

    @extend_schema(
        summary="Split pieces of an order off as a new one",
        description="Of a confirmed order, pieces that haven't shipped. No price changes: both"
        " orders' amounts add up to the old ones, per tax too. Payments by transfer, gift cards"
        " and store credit are divided; where a provider holds the money as one payment, the"
        " answer is 409 `payment_indivisible`: ship the order in parts instead.",
        request=SplitInput,
        responses=SplitSerializer,
    )
    def split(self, request: Any, number: str) -> Response:
        data = valid(SplitInput(data=request.data))
        pieces = {str(line["id"]): line["quantity"] for line in data["lines"]}
        if len(pieces) != len(data["lines"]):
            raise ValidationError({"lines": [_("Each line once.")]})
        order = order_for_staff(number)
        if data["dry_run"]:
            split = services.preview_order_split(order=order, pieces=pieces)
            return Response(_totals(split.total, split.new_total, order.currency))
        new = services.split_order(order=order, pieces=pieces)
        rows = orders_for_staff().in_bulk([order.pk, new.pk])
        order, new = rows[order.pk], rows[new.pk]
        documents = {
            "order": order_json(order, for_staff=True),
            "new_order": order_json(new, for_staff=True),
        }
        return Response(_totals(order.total, new.total, order.currency) | documents)


def _totals(total: int, new_total: int, currency: str) -> dict[str, Any]:
    return {"total": money_json(total, currency), "new_total": money_json(new_total, currency)}
