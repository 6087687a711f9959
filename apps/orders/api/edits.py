"""Changing orders after the sale, for staff."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from apps.core.api.permissions import Staff, holds
from apps.core.api.serializers import WaitingDocument, waiting_response
from apps.core.api.views import PlainViewSet
from apps.orders import services
from apps.orders.api.edit_serializers import (
    CancelLinesInput,
    OrderEditInput,
    OrderEditResultSerializer,
    preview_json,
    result_json,
)
from apps.orders.models import Order, OrderEdit
from apps.orders.selectors import order_for_staff, order_json, orders_for_staff


class OrderEditView(PlainViewSet):
    """Each call takes `dry_run`, and then tells what it would come to."""

    permission_classes = [Staff]
    required_permissions = {"edit": "orders.edit_order", "cancel_lines": "orders.edit_order"}
    idempotent = frozenset({"edit", "cancel_lines"})

    @extend_schema(
        summary="Change an order after the sale",
        description="Lines, prices, addresses and the shipping method of a confirmed order, as far"
        " as it hasn't shipped. Lines keep the prices of the sale; promotions and taxes are those"
        " of its day. `202`: prices are lowered by more than the store's limit, so it waits for"
        " another person's approval.",
        request=OrderEditInput,
        responses={200: OrderEditResultSerializer, 202: WaitingDocument},
    )
    def edit(self, request: Any, number: str) -> Response:
        form = OrderEditInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = dict(form.validated_data)
        order = order_for_staff(number)
        changes = services.OrderChanges(
            lines=tuple(_line(line, order) for line in data.pop("lines", ())),
            **{
                name: data.pop(name)
                for name in ("shipping_address", "billing_address", "shipping_method")
                if name in data
            },
        )
        if changes.sets_price:
            if not holds(request, "orders.edit_price"):
                raise PermissionDenied()
            if not data.get("reason"):
                raise ValidationError({"reason": [_("Say why the price is another one.")]})
        return self._answer(order, changes, data)

    @extend_schema(
        summary="Cancel pieces of an order that haven't shipped",
        description="Their stock is free again, and what they cost goes back.",
        request=CancelLinesInput,
        responses=OrderEditResultSerializer,
    )
    def cancel_lines(self, request: Any, number: str) -> Response:
        form = CancelLinesInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = dict(form.validated_data)
        lines = data.pop("lines")
        quantities = {str(line["id"]): line["quantity"] for line in lines}
        if len(quantities) != len(lines):
            raise ValidationError({"lines": [_("Each line once.")]})
        order = order_for_staff(number)
        return self._answer(order, services.cancelling(order, quantities), data)

    def _answer(
        self, order: Order, changes: services.OrderChanges, data: dict[str, Any]
    ) -> Response:
        if data.pop("dry_run"):
            plan = services.preview_edit(order=order, changes=changes)
            document = result_json(
                version=plan.version,
                totals=(plan.order.total, plan.total),
                currency=order.currency,
                preview=preview_json(plan),
            )
            return Response(document)
        expected = data.pop("expected_total", None)
        if expected is not None and expected.currency != order.currency:
            raise ValidationError({"expected_total": [_("Another currency than the order's.")]})
        edit = services.edit_order(
            order=order,
            changes=changes,
            expected_total=expected.amount if expected else None,
            **data,
        )
        if edit.status == OrderEdit.Status.DRAFT:
            return waiting_response(edit.approval)
        fresh = orders_for_staff().get(pk=order.pk)
        document = result_json(
            version=edit.version,
            totals=(edit.total_before, edit.total_after),
            currency=order.currency,
            order=order_json(fresh, for_staff=True),
        )
        return Response(document)


def _line(data: dict[str, Any], order: Order) -> services.LineChange:
    price = data.get("unit_price")
    if price is not None and price.currency != order.currency:
        raise ValidationError({"lines": [_("Another currency than the order's.")]})
    return services.LineChange(
        line=str(data["id"]) if "id" in data else "",
        sku=data.get("sku", ""),
        quantity=data.get("quantity"),
        unit_price=None if price is None else price.amount,
    )
