"""Stock in the back office: looked at here, moved by the buttons, which call the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import User
from apps.core.addresses import is_country
from apps.core.admin import (
    LimitInline,
    ModelAdmin,
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    extend,
)
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.errors import DomainError
from apps.core.fields import AmountModelForm
from apps.core.scopes import scoped
from apps.inventory import services
from apps.inventory.models import (
    AllocationRule,
    Hold,
    Location,
    LocationLimit,
    StockLevel,
    StockMovement,
)
from apps.inventory.selectors import stock_of
from apps.products.models import Product, Variant

_MOST = 1_000_000


def _pieces(label: Any, minimum: int = 1) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=minimum, max_value=_MOST, widget=UnfoldAdminIntegerFieldWidget
    )


def _text(label: Any, length: int) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, required=False, widget=UnfoldAdminTextInputWidget
    )


class ReceiveForm(ActionForm):
    quantity = _pieces(_("Pieces"))
    reference = _text(_("Delivery note"), 120)
    note = _text(_("Note"), 300)


class AdjustForm(ActionForm):
    delta = _pieces(_("Change"), -_MOST)
    note = _text(_("Note"), 300)


class CountForm(ActionForm):
    quantity = _pieces(_("Pieces on the shelf"), 0)
    note = _text(_("Note"), 300)

    def __init__(self, obj: StockLevel, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        self.fields["quantity"].initial = obj.on_hand


class TransferForm(ActionForm):
    quantity = _pieces(_("Pieces"))
    note = _text(_("Note"), 300)

    def __init__(self, obj: StockLevel, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        others = scoped(Location.objects.filter(is_active=True)).exclude(pk=obj.location_id)
        self.fields["target"] = forms.ModelChoiceField(
            label=_("To"), queryset=others, widget=UnfoldAdminSelectWidget
        )


class ApartForm(ActionForm):
    quantity = _pieces(_("Pieces"))
    note = _text(_("Note"), 300)


class SettleForm(ApartForm):
    """What becomes of pieces in quarantine."""

    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=[(reason.value, reason.label) for reason in services.QUARANTINE_OUTCOMES],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, obj: StockLevel, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        self.fields["quantity"].initial = obj.quarantined


class ProductStockForm(ActionForm):
    """What lies where, of every variant of a product, counted on one page."""

    intro = _("The number of pieces on each shelf; a movement of the difference is written.")

    def __init__(self, obj: Product, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        self.levels = {
            f"level_{level.variant_id}_{level.location_id}": level for level in stock_of(obj)
        }
        for name, level in self.levels.items():
            field = _pieces(f"{level.variant.sku} · {level.location.name}", 0)
            field.initial, field.required = level.on_hand, False
            field.help_text = _(
                "%(held)d held, %(committed)d committed, %(available)d available"
            ) % {
                "held": level.held,
                "committed": level.committed,
                "available": level.available,
            }
            self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # Only what somebody typed: what was sold since the page was opened stays sold.
        cleaned["changes"] = [
            services.LevelChange(level.variant, level.location, on_hand=cleaned[name])
            for name, level in self.levels.items()
            if name in self.changed_data and cleaned.get(name) is not None
        ]
        return cleaned


def _where(level: StockLevel) -> dict[str, Any]:
    return {"variant": level.variant, "location": level.location}


def _transfer(level: StockLevel, data: Mapping[str, Any]) -> None:
    services.transfer(variant=level.variant, source=level.location, **data)


def _action(
    name: str, label: Any, icon: str, form: type[ActionForm], run: Any, **more: Any
) -> Action:
    return Action(
        name=name,
        label=label,
        permission="inventory.change_stocklevel",
        run=run,
        form=form,
        icon=icon,
        **more,
    )


extend_actions(
    StockLevel,
    _action(
        "receive",
        _("Receive"),
        "move_to_inbox",
        ReceiveForm,
        lambda level, data: services.receive(**_where(level), **data),
    ),
    _action(
        "count",
        _("Set counted quantity"),
        "checklist",
        CountForm,
        lambda level, data: services.set_on_hand(**_where(level), **data),
    ),
    _action(
        "adjust",
        _("Adjust"),
        "exposure",
        AdjustForm,
        lambda level, data: services.adjust(**_where(level), **data),
    ),
    _action("transfer", _("Transfer"), "swap_horiz", TransferForm, _transfer),
    _action(
        "set-apart",
        _("Set apart"),
        "back_hand",
        ApartForm,
        lambda level, data: services.set_apart(**_where(level), **data),
        offered=lambda level: level.on_hand > 0,
    ),
    _action(
        "quarantine",
        _("Decide about quarantine"),
        "rule",
        SettleForm,
        lambda level, data: services.settle_quarantine(**_where(level), **data),
        offered=lambda level: level.quarantined > 0,
    ),
)
extend_actions(
    Product,
    _action(
        "stock",
        _("Stock"),
        "inventory",
        ProductStockForm,
        lambda product, data: services.set_levels(changes=data["changes"]),
    ),
)


class LocationForm(AmountModelForm):
    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if not is_country(country):
            raise forms.ValidationError(services.InvalidCountry.message, "invalid_country")
        return country


class LocationLimitInline(LimitInline):
    model = LocationLimit
    autocomplete_fields = ("location",)


extend(User, LocationLimitInline)


@admin.register(Location)
class LocationAdmin(ModelAdmin):
    form = LocationForm
    list_display = ("name", "code", "country", "priority", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    ordering = ("priority", "pk")
    fields = (("name", "code"), ("country", "priority"), "is_active", "stores")
    autocomplete_fields = ("stores",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Other systems know the location by its code.
        return [*super().get_readonly_fields(request, obj), *(["code"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.stock_levels.exists())


@admin.register(AllocationRule)
class AllocationRuleAdmin(ModelAdmin):
    list_display = ("store", "strategy")
    list_select_related = ("store",)
    fields = (("store", "strategy"),)


class StockLevelForm(AmountModelForm):
    def clean_backorder_limit(self) -> int:
        limit, level = self.cleaned_data["backorder_limit"], self.instance
        if limit < 0 or level.on_hand + limit < level.held + level.committed:
            raise forms.ValidationError(services.StockPromised.message, "stock_promised")
        return limit

    def clean_low_stock_threshold(self) -> int:
        pieces = self.cleaned_data["low_stock_threshold"]
        if pieces < 0:
            raise forms.ValidationError(services.InvalidQuantity.message, "invalid_quantity")
        return pieces


class LowFilter(admin.SimpleListFilter):
    title = _("stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("low", _("low")),
            ("out", _("none available")),
            ("quarantine", _("in quarantine")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "low":
            low = F("low_stock_threshold") + F("held") + F("committed")
            return queryset.filter(low_stock_threshold__gt=0, on_hand__lte=low)
        if self.value() == "quarantine":
            return queryset.filter(quarantined__gt=0)
        if self.value() == "out":
            return queryset.filter(on_hand__lte=F("held") + F("committed") - F("backorder_limit"))
        return queryset


@admin.register(StockLevel)
class StockLevelAdmin(ModelAdmin):
    form = StockLevelForm
    list_display = (
        "variant",
        "product",
        "location",
        "on_hand",
        "quarantined",
        "held",
        "committed",
        "available",
        "low_stock_threshold",
    )
    list_filter = ("location", LowFilter)
    list_select_related = ("variant__product", "location")
    search_fields = ("variant__sku", "variant__product__name")
    ordering = ("-pk",)
    autocomplete_fields = ("variant", "location")
    readonly_fields = ("on_hand", "quarantined", "held", "committed", "available")
    fields = (
        ("variant", "location"),
        ("on_hand", "quarantined", "available"),
        ("held", "committed"),
        ("backorder_limit", "low_stock_threshold"),
    )
    export_fields = (
        "variant__sku",
        "location__code",
        "on_hand",
        "quarantined",
        "held",
        "committed",
    )

    @display(description=_("product"))
    def product(self, level: StockLevel) -> str:
        return str(level.variant.product)

    @display(description=_("available"))
    def available(self, level: StockLevel) -> int:
        return level.available

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["variant", "location"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def save_model(self, request: HttpRequest, obj: StockLevel, form: Any, change: bool) -> None:
        """Only the limits are edited, and only by the service."""
        wanted = services.LevelChange(
            obj.variant,
            obj.location,
            backorder_limit=obj.backorder_limit,
            low_stock_threshold=obj.low_stock_threshold,
        )
        try:
            services.set_levels(changes=[wanted])
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
        obj.pk = services.level_for(variant=obj.variant, location=obj.location).pk
        if change:
            self.audit_change(obj, form)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A shelf has a ledger."""
        return False


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "sku",
        "location",
        "delta",
        "on_hand_after",
        "quarantined_delta",
        "reason",
        "reference",
        "actor",
    )
    list_filter = ("reason", "level__location")
    list_select_related = ("level__variant", "level__location")
    search_fields = ("level__variant__sku", "reference")
    ordering = ("-pk",)
    export_fields = (
        "created_at",
        "level__variant__sku",
        "level__location__code",
        "delta",
        "on_hand_after",
        "quarantined_delta",
        "reason",
        "reference",
        "note",
        "actor",
    )

    @display(description=_("SKU"))
    def sku(self, movement: StockMovement) -> str:
        return movement.level.variant.sku

    @display(description=_("location"))
    def location(self, movement: StockMovement) -> str:
        return movement.level.location.name


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("reference", "level", "quantity", "shipped", "state", "expires_at")
    list_filter = ("state",)
    list_select_related = ("level__variant", "level__location")
    search_fields = ("reference", "level__variant__sku")
    ordering = ("-pk",)


class StockLevelInline(ReadOnlyTabularInline):
    model = StockLevel
    fields = (
        *("location", "on_hand", "quarantined", "held", "committed", "free"),
        *("low_stock_threshold", "buttons"),
    )
    readonly_fields = ("free", "buttons")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockLevel]:
        return super().get_queryset(request).select_related("location")

    @display(description=_("available"))
    def free(self, level: StockLevel) -> int:
        return level.available


extend(Variant, StockLevelInline)
