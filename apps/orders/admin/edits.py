"""Changing an order on its page: a form makes a draft, the next page shows what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.core.admin import ReadOnlyTabularInline, extend, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions, pieces_field
from apps.core.admin_fields import ADDRESS_LABELS, ItemsField, address_fields
from apps.core.errors import DomainError
from apps.core.money import MoneyError, to_decimal, to_minor
from apps.orders import services
from apps.orders.models import Order, OrderEdit
from apps.orders.services.changes import EDITABLE
from apps.shipping.selectors import methods_to


class DraftForm(ActionForm):
    """Makes `changes` of what is typed; nothing happens to the order yet."""

    intro = _("This makes a draft: you see what it comes to before you confirm it.")
    needs_reason = False

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        self.lines = {str(line.public_id): line for line in order.lines.all()}
        self.add_fields(order)
        self.fields["reason"] = forms.CharField(
            label=_("Reason"),
            required=self.needs_reason,
            max_length=500,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            help_text=_("Shown to the customer on the order's timeline."),
        )

    def add_fields(self, order: Order) -> None:
        raise NotImplementedError

    def changes(self, data: Mapping[str, Any]) -> services.OrderChanges:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        changes = self.changes(data)
        if changes == services.OrderChanges():
            raise ValidationError(_("Nothing would change."))
        return {"once": data["once"], "reason": data["reason"], "changes": changes}


class EditForm(DraftForm):
    """A field for each line, named by its public id, and one for what is added."""

    def add_fields(self, order: Order) -> None:
        for key, line in self.lines.items():
            self.fields[key] = pieces_field(
                f"{line.name} ({line.sku})",
                initial=line.quantity,
                least=line.fulfilled_quantity,
            )
        self.fields["add"] = ItemsField(required=False)
        address = order.shipping_address
        methods = methods_to(store=order.store, currency=order.currency, address=address)
        known = {order.shipping_method: order.shipping_method_name}
        known |= {method.code: method.name for method in methods}
        self.fields["shipping_method"] = forms.ChoiceField(
            label=_("Shipping method"),
            required=False,
            choices=list(known.items()),
            initial=order.shipping_method,
            widget=UnfoldAdminSelectWidget,
        )

    def changes(self, data: Mapping[str, Any]) -> services.OrderChanges:
        lines = [
            services.LineChange(line=key, quantity=data[key])
            for key, line in self.lines.items()
            if data[key] != line.quantity
        ]
        added = [services.LineChange(sku=sku, quantity=n) for sku, n in data["add"].items()]
        method = data["shipping_method"]
        return services.OrderChanges(
            lines=(*lines, *added),
            shipping_method=method if method != self.obj.shipping_method else None,
        )


class PriceForm(DraftForm):
    needs_reason = True

    def add_fields(self, order: Order) -> None:
        for key, line in self.lines.items():
            self.fields[key] = forms.DecimalField(
                label=f"{line.name} ({line.sku}), {order.currency}",
                initial=to_decimal(line.unit_price, order.currency),
                min_value=0,
                widget=UnfoldAdminDecimalFieldWidget,
            )

    def changes(self, data: Mapping[str, Any]) -> services.OrderChanges:
        lines = []
        for key, line in self.lines.items():
            try:
                price = to_minor(data[key], self.obj.currency)
            except MoneyError as error:
                raise ValidationError({key: str(error)}) from error
            if price != line.unit_price:
                lines.append(services.LineChange(line=key, unit_price=price))
        return services.OrderChanges(lines=tuple(lines))


class AddressForm(DraftForm):
    which = "shipping_address"

    def add_fields(self, order: Order) -> None:
        self.fields |= address_fields(getattr(order, self.which))

    def changes(self, data: Mapping[str, Any]) -> services.OrderChanges:
        typed = {name: data[name] for name in ADDRESS_LABELS if data[name]}
        known = {name: value for name, value in getattr(self.obj, self.which).items() if value}
        return services.OrderChanges(**{self.which: typed} if typed != known else {})


class BillingAddressForm(AddressForm):
    which = "billing_address"


class CancelLinesForm(DraftForm):
    def add_fields(self, order: Order) -> None:
        for key, line in self.lines.items():
            if left := line.quantity - line.fulfilled_quantity:
                self.fields[key] = pieces_field(
                    f"{line.name} ({line.sku})",
                    initial=0,
                    most=left,
                    required=False,
                    help_text=_("At most %d can be cancelled.") % left,
                )

    def changes(self, data: Mapping[str, Any]) -> services.OrderChanges:
        pieces = {key: data[key] for key in self.lines if data.get(key)}
        return services.cancelling(self.obj, pieces)


class ConfirmForm(ActionForm):
    """Shows what the newest draft comes to now."""

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        draft = _draft(order)
        self.intro = _shown(draft) if draft else _("There is no draft.")


def _draft(order: Order) -> OrderEdit | None:
    return order.edits.filter(status=OrderEdit.Status.DRAFT).order_by("-pk").first()


def _shown(edit: OrderEdit) -> SafeString | str:
    changes = services.OrderChanges.from_json(edit.changes)
    try:
        plan = services.preview_edit(order=edit.order, changes=changes)
    except DomainError as error:
        return str(error)

    def money(amount: int) -> str:
        return money_text(amount, plan.order.currency)

    quote = plan.quotation.quote
    rows: list[tuple[Any]] = [
        (f"{p.quoted.quantity} × {p.quoted.sku}: {money(p.quoted.subtotal - p.quoted.discount)}",)
        for p in plan.lines
    ]
    rows += [(_("%s is taken out.") % line.sku,) for line in plan.removed]
    if quote.shipping_choice:
        rows.append((f"{quote.shipping_choice.name}: {money(quote.shipping)}",))
    rows += [(f"{tax.name}: {money(tax.amount)}",) for tax in quote.taxes]
    total = _("Total: %(after)s instead of %(before)s (%(delta)s)") % {
        "before": money(plan.order.total),
        "after": money(plan.total),
        "delta": f"{'+' if plan.delta > 0 else ''}{money(plan.delta)}",
    }
    rows.append((total,))
    rows += [
        (_("Stock is short: %(available)d more of %(sku)s can be had.") % problem,)
        for problem in plan.problems
    ]
    return format_html_join("", '<span class="bo-row">{}</span><br>', rows)


def _save_draft(order: Order, data: Mapping[str, Any]) -> OrderEdit:
    return services.draft_edit(order=order, **data)


def _confirm(order: Order, data: Mapping[str, Any]) -> OrderEdit:
    return services.confirm_or_ask(edit=_known(order))


def _confirmed(edit: OrderEdit) -> Any:
    if edit.status == OrderEdit.Status.DRAFT:
        return services.WAITS
    return _("The order is changed.")


def _discard(order: Order, data: Mapping[str, Any]) -> None:
    services.discard_edit(edit=_known(order))


def _known(order: Order) -> OrderEdit:
    draft = _draft(order)
    if draft is None:
        raise services.EditClosed()
    return draft


def _is_editable(order: Order) -> bool:
    return order.status in EDITABLE


def _has_draft(order: Order) -> bool:
    return _is_editable(order) and _draft(order) is not None


_DRAFTS: dict[str, Any] = {
    "run": _save_draft,
    "offered": _is_editable,
    "done": _("The draft is saved: look at what it comes to, then confirm it."),
}
extend_actions(
    Order,
    Action(
        name="confirm-edit",
        label=_("Confirm the changes"),
        done=_confirmed,
        permission="orders.edit_order",
        run=_confirm,
        offered=_has_draft,
        form=ConfirmForm,
        icon="task_alt",
    ),
    Action(
        name="discard-edit",
        label=_("Discard the changes"),
        done=_("The draft is discarded."),
        permission="orders.edit_order",
        run=_discard,
        offered=_has_draft,
        icon="delete_sweep",
    ),
    Action(
        name="edit",
        label=_("Change lines and shipping"),
        permission="orders.edit_order",
        form=EditForm,
        icon="edit",
        **_DRAFTS,
    ),
    Action(
        name="edit-prices",
        label=_("Set prices"),
        permission="orders.edit_price",
        form=PriceForm,
        icon="sell",
        **_DRAFTS,
    ),
    Action(
        name="edit-address",
        label=_("Change the shipping address"),
        permission="orders.edit_order",
        form=AddressForm,
        icon="home_pin",
        **_DRAFTS,
    ),
    Action(
        name="edit-billing",
        label=_("Change the billing address"),
        permission="orders.edit_order",
        form=BillingAddressForm,
        icon="contract",
        **_DRAFTS,
    ),
    Action(
        name="cancel-lines",
        label=_("Cancel pieces"),
        permission="orders.edit_order",
        form=CancelLinesForm,
        icon="remove_shopping_cart",
        **_DRAFTS,
    ),
)


class OrderEditInline(ReadOnlyTabularInline):
    model = OrderEdit
    verbose_name_plural = _("changes after the sale")
    fields = ("created_at", "status", "author", "reason", "total_before", "total_after")
    readonly_fields = ("created_at", "status")


extend(Order, OrderEditInline)
