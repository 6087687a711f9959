"""The form of a promotion: every member of its effect and conditions as a field of its own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.customers.models import CustomerGroup, Segment
from apps.products.models import Variant
from apps.promotions import services
from apps.promotions.admin.fields import (
    AmountsField,
    AmountsWidget,
    AttributesField,
    LinesField,
    NamesField,
    TiersField,
)
from apps.promotions.engines.schema import KINDS
from apps.promotions.models import Promotion, Redemption
from apps.stores.selectors import active_stores

EFFECTS = (
    ("percentage", _("Percentage off")),
    ("amount_off", _("Amount off")),
    ("fixed_price", _("Fixed price")),
    ("quantity_tiers", _("Percentage by number of pieces")),
    ("buy_x_get_y", _("Buy X, get Y")),
    ("free_shipping", _("Free shipping")),
    ("free_gift", _("Free gift")),
)
WEEKDAYS = (
    *((0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday"))),
    *((4, _("Friday")), (5, _("Saturday")), (6, _("Sunday"))),
)
KIND_LABELS = {
    "product": _("Products"),
    "sku": _("SKUs"),
    "category": _("Categories"),
    "brand": _("Brands"),
    "collection": _("Collections"),
    "tag": _("Tags"),
    "attribute": _("Attributes"),
    "vendor": _("Sellers"),
}
# The members of an effect that can't be left empty.
_NEEDED = {
    "percentage": ("percent",),
    "amount_off": ("amount",),
    "fixed_price": ("price",),
    "quantity_tiers": ("tiers",),
    "buy_x_get_y": ("buy", "get", "percent"),
    "free_shipping": (),
    "free_gift": ("sku", "quantity"),
}


def _percent(**kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Percent off"),
        required=False,
        max_digits=7,
        decimal_places=4,
        max_value=Decimal(100),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        **kwargs,
    )


def _whole(label: Any, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        **kwargs,
    )


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=False, choices=choices, widget=UnfoldAdminSelectWidget
    )


def _switch(label: Any, **kwargs: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, required=False, widget=UnfoldBooleanSwitchWidget, **kwargs
    )


def _kind(kind: str) -> forms.Field:
    if kind == "attribute":
        return AttributesField(label=KIND_LABELS[kind], help_text=_("One in a line: colour=red"))
    return NamesField(kind, label=KIND_LABELS[kind])


def _selection(prefix: str) -> dict[str, forms.Field]:
    """The fields of a selection: of every kind what is meant, and what is left out."""
    fields = {f"{prefix}__{kind}": _kind(kind) for kind in KINDS}
    fields |= {f"{prefix}__not_{kind}": _kind(kind) for kind in KINDS}
    fields[f"{prefix}__reduced"] = _switch(
        _("Also what is reduced already"),
        initial=True,
        help_text=_("Off: only what is sold at its list price."),
    )
    return fields


def selection_rows(prefix: str, part: str = "") -> tuple[tuple[str, ...], ...]:
    """The names of a selection's fields, two in a row, for fieldsets."""
    names = [f"{prefix}__{part}{kind}" for kind in KINDS]
    return tuple(tuple(names[i : i + 2]) for i in range(0, len(names), 2))


class _PromotionForm(forms.ModelForm):
    effect_type = forms.ChoiceField(
        label=_("What it gives"), choices=EFFECTS, widget=UnfoldAdminSelectWidget
    )
    percentage__percent = _percent()
    percentage__of = _choice(
        _("Of"), (("items", _("each item")), ("order", _("the whole order, once")))
    )
    amount_off__amount = AmountsField(label=_("Amount off"))
    amount_off__per = _choice(
        _("Off"), (("order", _("the whole order, once")), ("item", _("each piece")))
    )
    fixed_price__price = AmountsField(label=_("Price of a piece"))
    quantity_tiers__tiers = TiersField(
        label=_("Tiers"), help_text=_("Save to get more empty rows.")
    )
    buy_x_get_y__buy = _whole(_("Pieces to buy"))
    buy_x_get_y__get = _whole(_("Pieces for less"))
    buy_x_get_y__percent = _percent(initial=100, help_text=_("100: for nothing."))
    get_which = _choice(
        _("Of which items"),
        (
            ("same", _("of the same items")),
            ("any", _("of all items")),
            ("these", _("of the items chosen below")),
        ),
    )
    free_shipping__methods = LinesField(
        label=_("Only by these methods"),
        help_text=_("Codes of shipping methods, one in a line. Empty: by all."),
    )
    free_shipping__up_to = AmountsField(
        label=_("At most this much"), help_text=_("Empty: however much it costs.")
    )
    free_gift__sku = forms.CharField(
        label=_("SKU of the gift"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )
    free_gift__quantity = _whole(_("Pieces of it"), initial=1)
    min_spend = AmountsField(
        label=_("Spent, at least"),
        help_text=_("On the items it applies to, at their prices before discounts in the cart."),
    )
    min_quantity = _whole(_("Pieces, at least"))
    customer_groups = forms.MultipleChoiceField(
        label=_("Customer groups"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: for everybody."),
    )
    segments = forms.MultipleChoiceField(
        label=_("Segments"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: for everybody. Else for who is in one of them."),
    )
    first_order = _switch(
        _("First order only"), help_text=_("Told apart by e-mail address and customer.")
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        required=False,
        coerce=int,
        choices=WEEKDAYS,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: every day. Of the store's own clock."),
    )

    class Meta:
        model = Promotion
        fields = (
            *("code", "name", "is_active", "stores", "is_catalogue", "needs_code"),
            *("starts_at", "ends_at", "weekdays", "hours_from", "hours_to"),
            *("stacking_group", "priority", "is_exclusive"),
            *("usage_limit", "usage_limit_per_customer", "max_per_order"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "effect_type" not in self.fields:
            return
        groups = CustomerGroup.objects.order_by("name").values_list("code", "name")
        self.fields["customer_groups"].choices = list(groups)  # type: ignore[attr-defined]
        segments = Segment.objects.order_by("name").values_list("code", "name")
        self.fields["segments"].choices = list(segments)  # type: ignore[attr-defined]
        self.initial = {**_initial(self.instance), **self.initial}
        sold = dict.fromkeys(c for store in active_stores() for c in store.all_currencies)
        for name, field in self.fields.items():
            if isinstance(field.widget, AmountsWidget):
                field.widget.currencies = (*sold, *(self.initial.get(name, {}).keys() - sold))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("effect_type", "")
        for member in _NEEDED.get(kind, ()):
            name = f"{kind}__{member}"
            if name not in self.errors and cleaned.get(name) in (None, "", [], {}):
                self.add_error(name, forms.ValidationError(_("This is needed."), "required"))
        return cleaned

    def clean_free_gift__sku(self) -> str:
        sku = self.cleaned_data["free_gift__sku"].strip()
        if sku and not Variant.objects.filter(sku=sku).exists():
            raise forms.ValidationError(_("There is no such SKU."), "does_not_exist")
        return sku

    def clean_usage_limit(self) -> int | None:
        limit = self.cleaned_data.get("usage_limit")
        if limit is not None and self.instance.pk:
            used = Redemption.objects.filter(promotion=self.instance).count()
            if limit < used:
                raise forms.ValidationError(
                    _("%(used)s orders use it already.") % {"used": used}, "used"
                )
        return limit

    def _get_validation_exclusions(self) -> set[str]:
        # Constraints over two fields: `check_promotion` says the same, at the field.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"ends_at", "usage_limit"}

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if "effect_type" not in self.cleaned_data:
            return
        self.instance.effect = self._effect()
        self.instance.conditions = self._conditions()
        self.instance.weekdays = sorted(self.cleaned_data.get("weekdays", []))
        if self.errors:
            return
        try:
            services.check_promotion(self.instance)
        except services.InvalidPromotion as error:
            field = self._field_of(error.field or "")
            self.add_error(field, str(error).removeprefix(f"{error.field}: "))

    def _effect(self) -> dict[str, Any]:
        kind = self.cleaned_data["effect_type"]
        effect: dict[str, Any] = {"type": kind}
        for name in self.fields:
            group, _separator, member = name.partition("__")
            if group == kind and (value := self.cleaned_data.get(name)) not in (None, "", [], {}):
                effect[member] = _plain(value)
        which = self.cleaned_data.get("get_which")
        if kind == "buy_x_get_y" and which in ("any", "these"):
            effect["get_items"] = self._selected("get") if which == "these" else {}
        return effect

    def _conditions(self) -> dict[str, Any]:
        names = ("min_spend", "min_quantity", "customer_groups", "segments", "first_order")
        found = {name: self.cleaned_data.get(name) for name in names}
        found["items"] = self._selected("items")
        return {name: value for name, value in found.items() if value}

    def _selected(self, prefix: str) -> dict[str, Any]:
        data = self.cleaned_data
        chosen = {
            kind: data[f"{prefix}__{kind}"] for kind in KINDS if data.get(f"{prefix}__{kind}")
        }
        left_out = {
            kind: data[f"{prefix}__not_{kind}"]
            for kind in KINDS
            if data.get(f"{prefix}__not_{kind}")
        }
        if left_out:
            chosen["exclude"] = left_out
        if not data.get(f"{prefix}__reduced", True):
            chosen["reduced"] = False
        return chosen

    def _field_of(self, path: str) -> str | None:
        """The field that stands for a member of the JSON: effect.percent, conditions.items.tag."""
        parts = path.split(".")
        if parts[0] == "effect" and parts[1:2] == ["get_items"]:
            name = _selection_field("get", parts[2:])
        elif parts[0] == "effect" and parts[1:]:
            kind = self.cleaned_data.get("effect_type")
            name = "effect_type" if parts[1] == "type" else f"{kind}__{parts[1]}"
        elif parts[:2] == ["conditions", "items"]:
            name = _selection_field("items", parts[2:])
        else:
            name = parts[1] if parts[0] == "conditions" and parts[1:] else parts[0]
        return name if name in self.fields else None


def _selection_field(prefix: str, parts: list[str]) -> str:
    if parts[:1] == ["exclude"]:
        return f"{prefix}__not_{parts[1]}" if parts[1:] else f"{prefix}__not_product"
    return f"{prefix}__{parts[0]}" if parts else f"{prefix}__product"


PromotionForm: Any = type(
    "PromotionForm", (_PromotionForm,), {**_selection("items"), **_selection("get")}
)


def _plain(value: Any) -> Any:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def _initial(promotion: Promotion) -> dict[str, Any]:
    """The JSON of a promotion as the form's values."""
    effect, conditions = promotion.effect, promotion.conditions
    found: dict[str, Any] = {"effect_type": effect.get("type", EFFECTS[0][0])}
    for member, value in effect.items():
        if member not in ("type", "get_items"):
            found[f"{effect.get('type')}__{member}"] = value
    for name in ("min_spend", "min_quantity", "customer_groups", "segments", "first_order"):
        if name in conditions:
            found[name] = conditions[name]
    others = effect.get("get_items")
    found["get_which"] = "same" if others is None else "these" if others else "any"
    found |= _selection_initial("items", conditions.get("items") or {})
    return found | _selection_initial("get", others or {})


def _selection_initial(prefix: str, selection: Mapping[str, Any]) -> dict[str, Any]:
    found = {f"{prefix}__{kind}": selection[kind] for kind in KINDS if kind in selection}
    left_out = selection.get("exclude") or {}
    found |= {f"{prefix}__not_{kind}": left_out[kind] for kind in KINDS if kind in left_out}
    return {**found, f"{prefix}__reduced": selection.get("reduced", True)}
