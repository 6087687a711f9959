"""Carts in the back office: what people mean to buy, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.checkout.models import Cart, CartLine
from apps.checkout.selectors import carts_for_reading, view_cart
from apps.checkout.services import combine_orders, rehearse, split_order
from apps.core.addresses import address_lines
from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions, pieces_field
from apps.core.admin_previews import Preview, extend_previews
from apps.core.scopes import scoped
from apps.orders.models import Order
from apps.orders.services import is_combinable
from apps.orders.services.changes import EDITABLE
from apps.pricing.selectors import REASONS, explain_quote
from apps.promotions.models import Promotion

STATUS_COLOURS = {
    Cart.Status.OPEN: "info",
    Cart.Status.ORDERED: "success",
    Cart.Status.MERGED: "warning",
}


class CartLineInline(ReadOnlyTabularInline):
    model = CartLine
    verbose_name_plural = _("lines")
    fields = ("sku", "name", "quantity", "seen_price", "agreed_price", "agreed_reason")
    readonly_fields = ("sku", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CartLine]:
        return super().get_queryset(request).select_related("cart", "variant__product")

    @admin.display(description=_("SKU"))
    def sku(self, line: CartLine) -> str:
        return line.variant.sku

    @admin.display(description=_("product"))
    def name(self, line: CartLine) -> str:
        return f"{line.variant.product.name} {line.variant.name}".strip()


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    """A guest's key to the cart isn't shown: whoever holds it may change it."""

    list_display = ("__str__", "updated_at", "who", "store", "pieces", "state")
    list_select_related = ("store", "customer")
    list_filter = ("status", "is_draft", "store")
    search_fields = ("email", "customer__email")
    ordering = ("-pk",)
    fields = (
        ("store", "status"),
        ("customer", "email"),
        ("currency", "language"),
        ("ship_to", "bill_to"),
        ("shipping_method", "note"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("ship_to", "bill_to", "created_at", "updated_at")
    inlines = (CartLineInline,)
    change_form_outer_after_template = "admin/promotions/explanation.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        return super().get_queryset(request).prefetch_related("lines")

    def object_context(self, request: HttpRequest, obj: Cart) -> dict[str, Any]:
        # An ordered cart's total stands in its order.
        if obj.status != Cart.Status.OPEN:
            return {}
        view = view_cart(carts_for_reading().get(pk=obj.pk), explain=True)
        return {"explanation": explain_quote(view.quote)}

    @admin.display(description=_("pieces"))
    def pieces(self, cart: Cart) -> int:
        return sum(line.quantity for line in cart.lines.all())

    @admin.display(description=_("customer"))
    def who(self, cart: Cart) -> str:
        return cart.email or (cart.customer.email if cart.customer else "")

    @admin.display(description=_("ship to"))
    def ship_to(self, cart: Cart) -> str:
        return "\n".join(address_lines(cart.shipping_address))

    @admin.display(description=_("bill to"))
    def bill_to(self, cart: Cart) -> str:
        return "\n".join(address_lines(cart.billing_address))

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, cart: Cart) -> tuple[str, str]:
        return cart.status, cart.get_status_display()


class CombineForm(ActionForm):
    """The customer's other orders that may be taken in."""

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        choices = [(o.number, f"{o}: {money_text(o.total, o.currency)}") for o in _others(order)]
        self.fields["number"] = forms.ChoiceField(
            label=_("Order"),
            choices=choices,
            widget=UnfoldAdminSelectWidget,
            help_text=_(
                "Its lines, stock and payments become this order's; it is cancelled without a"
                " mail. No price changes."
            ),
        )


def _others(order: Order) -> list[Order]:
    rows = scoped(Order.objects.to_ship()).filter(email_key=order.email_key).exclude(pk=order.pk)
    return [other for other in rows.order_by("pk")[:50] if is_combinable(order=order, other=other)]


def _combine(order: Order, data: Mapping[str, Any]) -> Order:
    return combine_orders(order=order, other=Order.objects.get(number=data["number"]))


class SplitForm(ActionForm):
    """A field for each line that has unshipped pieces, named by its public id."""

    intro = _(
        "These pieces become an order of their own. No price changes; shipping stays with this"
        " order. What a payment provider holds can't be divided: ship in parts instead."
    )

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        for line in order.lines.all():
            if left := line.quantity - line.fulfilled_quantity:
                self.fields[str(line.public_id)] = pieces_field(
                    f"{line.name} ({line.sku})",
                    initial=0,
                    most=left,
                    required=False,
                    help_text=_("At most %d can go.") % left,
                )


def _split(order: Order, data: Mapping[str, Any]) -> Order:
    return split_order(order=order, pieces={key: n for key, n in data.items() if n})


extend_actions(
    Order,
    Action(
        name="split",
        label=_("Split in two"),
        done=_("The pieces are an order of their own."),
        permission="orders.edit_order",
        run=_split,
        offered=lambda order: order.status in EDITABLE,
        form=SplitForm,
        icon="call_split",
    ),
    Action(
        name="combine",
        label=_("Combine with another order"),
        done=_("The orders are one."),
        permission="orders.edit_order",
        run=_combine,
        offered=lambda order: bool(_others(order)),
        form=CombineForm,
        icon="merge",
    ),
)


# A page must come back while somebody waits for it.
MOST_REHEARSED = 2000
REHEARSED_DAYS = 30


class RehearsalForm(forms.Form):
    """Nothing to ask."""


def _rehearse(promotion: Promotion, data: Mapping[str, Any]) -> dict[str, Any]:
    since = timezone.now() - timedelta(days=REHEARSED_DAYS)
    found = rehearse(promotion=promotion, since=since, newest=MOST_REHEARSED)
    return {
        "found": found,
        "is_capped": found.orders >= MOST_REHEARSED,
        "most": MOST_REHEARSED,
        "sums": [
            {
                "orders": total.orders,
                "discount": money_text(total.discount, currency),
                "average": money_text(total.average, currency),
                "top": [
                    (
                        row.number,
                        money_text(row.total, currency),
                        money_text(row.discount, currency),
                    )
                    for row in total.top
                ],
            }
            for currency, total in sorted(found.sums.items())
        ],
        "reasons": [(_reason(code), count) for code, count in found.reasons.most_common()],
    }


def _reason(code: str) -> str:
    text = str(REASONS.get(code, code))
    # Of many orders there is no one amount to name.
    return {"spend_too_low": str(_("too little spent")), "too_few": str(_("too few pieces"))}.get(
        code, text
    )


extend_previews(
    Promotion,
    Preview(
        name="rehearsal",
        label=_("Rehearse it"),
        intro=_(
            "What the form above would have cost on the orders of the last 30 days, at most the"
            " 2,000 newest: alone, with its code typed by everybody, whenever it begins and ends."
        ),
        button=_("Rehearse on the last 30 days"),
        permission="orders.view_order",
        form=RehearsalForm,
        run=_rehearse,
        template="admin/promotions/rehearsal.html",
    ),
)
