"""Orders that staff make: begun on the customer's page, filled and placed on the draft's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    UnfoldAdminTextInputWidget,
)

from apps.checkout import services
from apps.checkout.models import Cart
from apps.checkout.selectors import CartView, carts_for_reading, view_cart
from apps.core.admin import money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions, pieces_field
from apps.core.admin_fields import ADDRESS_LABELS, ItemsField, address_fields
from apps.core.money import Money, MoneyError, to_decimal
from apps.customers.models import Customer
from apps.pricing.services import shipping_offers
from apps.stores.selectors import active_stores


class NewDraftForm(ActionForm):
    intro = _("The draft stands among the carts, where it is looked at, completed and placed.")

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(customer, *args, **kwargs)
        self.stores = {store.code: store for store in active_stores()}
        self.fields["items"] = ItemsField(label=_("Items"))
        self.fields["store"] = forms.ChoiceField(
            label=_("Store"),
            choices=[(store.code, store.name) for store in self.stores.values()],
            widget=UnfoldAdminSelectWidget,
        )
        self.fields["currency"] = forms.RegexField(
            "^[A-Z]{3}$",
            label=_("Currency"),
            required=False,
            help_text=_("Empty: the store's."),
            widget=UnfoldAdminTextInputWidget,
        )

    def clean_store(self) -> Any:
        return self.stores[self.cleaned_data["store"]]


class LinesForm(ActionForm):
    """A field for each line, named by its public id."""

    def __init__(self, cart: Cart, *args: Any, **kwargs: Any) -> None:
        super().__init__(cart, *args, **kwargs)
        self.lines = {
            str(line.public_id): line
            for line in cart.lines.select_related("variant__product").order_by("pk")
        }
        for key, line in self.lines.items():
            self.fields[key] = self.field_for(line)

    def field_for(self, line: Any) -> forms.Field:
        raise NotImplementedError


class QuantitiesForm(LinesForm):
    def __init__(self, cart: Cart, *args: Any, **kwargs: Any) -> None:
        super().__init__(cart, *args, **kwargs)
        self.fields["add"] = ItemsField(required=False)

    def field_for(self, line: Any) -> forms.Field:
        label = f"{line.variant.product.name} ({line.variant.sku})"
        return pieces_field(label, initial=line.quantity, most=1_000_000)


class PricesForm(LinesForm):
    intro = _("An empty price is the price list's.")

    def __init__(self, cart: Cart, *args: Any, **kwargs: Any) -> None:
        super().__init__(cart, *args, **kwargs)
        self.fields["reason"] = forms.CharField(
            label=_("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget
        )

    def field_for(self, line: Any) -> forms.Field:
        price = line.agreed_price
        return forms.DecimalField(
            label=f"{line.variant.product.name} ({line.variant.sku}), {self.obj.currency}",
            required=False,
            initial=None if price is None else to_decimal(price, self.obj.currency),
            min_value=0,
            widget=UnfoldAdminDecimalFieldWidget,
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for key in self.lines:
            if data.get(key) is not None:
                try:
                    data[key] = Money.of(data[key], self.obj.currency)
                except MoneyError as error:
                    raise ValidationError({key: str(error)}) from error
        return data


class DeliveryForm(ActionForm):
    """Where it goes, how, and what else there is to say."""

    def __init__(self, cart: Cart, *args: Any, **kwargs: Any) -> None:
        super().__init__(cart, *args, **kwargs)
        self.fields |= address_fields(cart.shipping_address)
        view = _view(cart)
        offers = shipping_offers(situation=view.situation, quotation=view.quotation)
        choices = [(o.code, f"{o.name}: {money_text(o.price, cart.currency)}") for o in offers]
        self.fields["shipping_method"] = forms.ChoiceField(
            label=_("Shipping method"),
            required=False,
            choices=[("", "–"), *choices],
            initial=cart.shipping_method,
            help_text=_("Those for the address that is saved; a new one brings others."),
            widget=UnfoldAdminSelectWidget,
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"),
            required=False,
            max_length=2000,
            initial=cart.note,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        )


class CodeForm(ActionForm):
    code = forms.CharField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)


class PlaceForm(ActionForm):
    """Shows what the order comes to; placed is what was shown."""

    how = _("Paid later: by transfer, or on delivery.")
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, cart: Cart, *args: Any, **kwargs: Any) -> None:
        super().__init__(cart, *args, **kwargs)
        view = _view(cart)
        self.intro = _shown(view, self.how)
        self.fields["expected"].initial = view.quote.total


class PlaceByLinkForm(PlaceForm):
    how = _("The customer is mailed a link to pay by; the pieces are kept as long as it is good.")


def _view(cart: Cart) -> CartView:
    return view_cart(carts_for_reading().get(pk=cart.pk))


def _shown(view: CartView, how: Any) -> SafeString:
    def money(amount: int) -> str:
        return money_text(amount, view.cart.currency)

    quote = view.quote
    rows: list[tuple[Any]] = [
        (f"{line.quantity} × {line.sku}: {money(line.subtotal - line.discount)}",)
        for line in quote.lines
    ]
    if quote.shipping_choice:
        rows.append((f"{quote.shipping_choice.name}: {money(quote.shipping)}",))
    rows += [(f"{tax.name}: {money(tax.amount)}",) for tax in quote.taxes]
    rows.append((_("Total: %s") % money(quote.total),))
    rows += [(problem.message,) for problem in view.problems]
    rows.append((how,))
    return format_html_join("", "<span>{}</span><br>", rows)


def _start(customer: Customer, data: Mapping[str, Any]) -> Cart:
    return services.start_draft(
        store=data["store"],
        customer=customer,
        lines=data["items"],
        currency=data["currency"] or None,
    )


def _of_draft(run: Callable[[Cart, Mapping[str, Any]], Any]) -> Callable[..., Any]:
    def guarded(cart: Cart, data: Mapping[str, Any]) -> Any:
        services.require_draft(cart=cart)
        return run(cart, data)

    return guarded


def _set_lines(cart: Cart, data: Mapping[str, Any]) -> None:
    pieces = {key: n for key, n in data.items() if key != "add"}
    services.set_draft_lines(cart=cart, quantities=pieces, added=data["add"])


def _set_prices(cart: Cart, data: Mapping[str, Any]) -> None:
    prices = {key: price for key, price in data.items() if key != "reason"}
    services.agree_prices(cart=cart, prices=prices, reason=data["reason"])


def _set_delivery(cart: Cart, data: Mapping[str, Any]) -> None:
    address = {name: data[name] for name in ADDRESS_LABELS if data[name]}
    changes = {name: data[name] for name in ("shipping_method", "note")}
    services.update_cart(cart=cart, changes={"shipping_address": address, **changes})


def _place(payment: services.PaymentChoice) -> Callable[..., services.Placed]:
    def place(cart: Cart, data: Mapping[str, Any]) -> services.Placed:
        return services.place_order(
            cart=carts_for_reading().get(pk=cart.pk),
            payment=payment,
            expected_total=Money(data["expected"], cart.currency),
        )

    return place


def _is_draft(cart: Cart) -> bool:
    return cart.is_draft and cart.status == Cart.Status.OPEN


extend_actions(
    Customer,
    Action(
        name="order",
        label=_("New order"),
        done=_("The draft is made; it stands among the carts."),
        permission="orders.add_order",
        run=_start,
        form=NewDraftForm,
        icon="add_shopping_cart",
    ),
)
_DRAFT: dict[str, Any] = {"permission": "orders.add_order", "offered": _is_draft}
extend_actions(
    Cart,
    Action(
        name="place",
        label=_("Place the order"),
        done=_("The order is placed."),
        run=_of_draft(_place(services.PaymentChoice("manual"))),
        form=PlaceForm,
        icon="task_alt",
        **_DRAFT,
    ),
    Action(
        name="place-by-link",
        label=_("Place it and mail a pay link"),
        done=_("The order waits for its payment; the link is on its way to the customer."),
        run=_of_draft(_place(services.BY_LINK)),
        form=PlaceByLinkForm,
        icon="link",
        **_DRAFT,
    ),
    Action(
        name="lines",
        label=_("Change the items"),
        run=_of_draft(_set_lines),
        form=QuantitiesForm,
        icon="edit",
        **_DRAFT,
    ),
    Action(
        name="prices",
        label=_("Agree on prices"),
        run=_of_draft(_set_prices),
        form=PricesForm,
        icon="sell",
        **{**_DRAFT, "permission": "orders.edit_price"},
    ),
    Action(
        name="delivery",
        label=_("Address, shipping and note"),
        run=_of_draft(_set_delivery),
        form=DeliveryForm,
        icon="home_pin",
        **_DRAFT,
    ),
    Action(
        name="code",
        label=_("Add a code"),
        run=_of_draft(lambda cart, data: services.add_code(cart=cart, **data)),
        form=CodeForm,
        icon="confirmation_number",
        **_DRAFT,
    ),
    Action(
        name="discard",
        label=_("Discard the draft"),
        run=_of_draft(lambda cart, data: services.discard_draft(cart=cart)),
        icon="delete_sweep",
        is_danger=True,
        **_DRAFT,
    ),
)
