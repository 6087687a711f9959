"""Prices in the back office. Every save goes through the services, which keep the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from apps.core.admin import ModelAdmin, TabularInline, extend, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.fields import AmountModelForm
from apps.core.money import MoneyError, to_decimal, to_minor
from apps.core.scopes import must_name
from apps.pricing import services
from apps.pricing.models import Price
from apps.pricing.selectors import coming_change, coming_changes, prior_prices
from apps.pricing.services import PriceData
from apps.products.models import Product, Variant
from apps.stores.models import Store
from apps.stores.selectors import active_stores

# How far the calendar of changes looks.
CALENDAR_ROWS = 200
_SCOPE = ("store", "price_list", "currency", "min_quantity", "valid_from", "valid_to")


class PriceForm(AmountModelForm):
    """What the service would refuse, refused beside its field."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        variant = cleaned.get("variant") or getattr(self.instance, "variant", None)
        if self.errors or variant is None:
            return cleaned
        names = ("store", "price_list", "currency", "min_quantity", "amount", "compare_at")
        row = Price(
            variant=variant,
            **{name: cleaned.get(name) for name in (*names, "valid_from", "valid_to")},
        )
        try:
            services.check_price(data=PriceData.of(row))
        except services.InvalidPrice as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return cleaned
        self.scope = row.scope_text()
        if Price.objects.filter(scope=self.scope).exclude(pk=self.instance.pk).exists():
            self.add_error(None, services.PriceExists.message)
        return cleaned


class PriceFormSet(BaseInlineFormSet):
    """Rows of a variant, written one by one by the services."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            scope = getattr(form, "scope", None)
            if scope is None or form.cleaned_data.get("DELETE"):
                continue
            if scope in seen:
                form.add_error(None, services.PriceExists.message)
            seen.add(scope)

    def save_new(self, form: Any, commit: bool = True) -> Price:
        form.instance.variant = self.instance
        form.instance = services.add_price(data=PriceData.of(form.instance))
        return form.instance

    def save_existing(self, form: Any, obj: Price, commit: bool = True) -> Price:
        return services.change_price(price=obj, data=PriceData.of(form.instance))

    def delete_existing(self, obj: Price, commit: bool = True) -> None:
        services.remove_price(price=obj)


class PriceInline(TabularInline):
    model = Price
    form = PriceForm
    formset = PriceFormSet
    fields = ("amount", "compare_at", "before_reduction", *_SCOPE)
    readonly_fields = ("before_reduction",)
    autocomplete_fields = ("store", "price_list")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # An inline lives as long as its request.
        found = prior_prices(variant_id=obj.pk, at=timezone.now()) if obj else {}
        self.prior: dict[tuple[int | None, str], int] = found
        return super().get_formset(request, obj, **kwargs)

    @display(description=_("before the reduction"))
    def before_reduction(self, price: Price) -> str:
        """The lowest price of the 30 days before, which a reduction must show in the EU."""
        if price.pk is None or price.price_list_id is not None or price.min_quantity > 1:
            return ""
        return money_text(self.prior.get((price.store_id, price.currency)), price.currency)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return super().get_queryset(request).select_related("store", "price_list")


extend(Variant, PriceInline)


class ProductPricesForm(ActionForm):
    """The price of one piece, in every store and for everybody, of each variant."""

    intro = _("The price of one piece in every store. Other prices are on the variant's page.")

    def __init__(self, obj: Product, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        # These prices hold in all stores.
        stores = [] if must_name(Store) else active_stores()
        currencies = list(dict.fromkeys(c for store in stores for c in store.all_currencies))
        self.rows: dict[str, PriceData] = {}
        for variant in obj.variants.all():
            for currency in currencies:
                data = PriceData(variant.pk, currency, 0)
                name = f"price_{variant.pk}_{currency}"
                self.rows[name] = data
                self.fields[name] = self._field(f"{variant.sku} · {currency}")
                self.fields[f"compare_{name}"] = self._field(
                    f"{variant.sku} · {currency} · {_('compare-at price')}"
                )
        scopes = {data.row().scope: name for name, data in self.rows.items()}
        for price in Price.objects.filter(scope__in=scopes):
            name = scopes[price.scope]
            self.rows[name] = PriceData.of(price)
            self.fields[name].initial = to_decimal(price.amount, price.currency)
            if price.compare_at is not None:
                compare_at = to_decimal(price.compare_at, price.currency)
                self.fields[f"compare_{name}"].initial = compare_at

    @staticmethod
    def _field(label: str) -> forms.DecimalField:
        return forms.DecimalField(
            label=label,
            required=False,
            min_value=0,
            max_digits=20,
            widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["prices"] = []
        for name, data in self.rows.items():
            fields = (name, f"compare_{name}")
            if not {*fields} & {*self.changed_data} or {*fields} & {*self.errors}:
                continue
            amounts = [self._minor(field, data.currency) for field in fields]
            if amounts[0] is None:
                self.add_error(name, forms.ValidationError(_("A price is needed."), "required"))
                continue
            cleaned["prices"].append(
                PriceData(
                    data.variant_id,
                    data.currency,
                    amounts[0],
                    compare_at=amounts[1],
                    valid_to=data.valid_to,
                )
            )
        return cleaned

    def _minor(self, field: str, currency: str) -> int | None:
        value = self.cleaned_data.get(field)
        try:
            return None if value is None else to_minor(value, currency)
        except MoneyError as error:
            self.add_error(field, str(error))
            return 0


def _set_prices(product: Product, data: Mapping[str, Any]) -> None:
    services.set_prices(data["prices"])


extend_actions(
    Product,
    Action(
        name="prices",
        label=_("Prices"),
        permission="pricing.change_price",
        run=_set_prices,
        form=ProductPricesForm,
        icon="sell",
    ),
)


class WhenFilter(admin.SimpleListFilter):
    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("In force now")), ("coming", _("To change")), ("ended", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> QuerySet[Price]:
        now = timezone.now()
        if self.value() == "now":
            begun = Q(valid_from__isnull=True) | Q(valid_from__lte=now)
            return queryset.filter(begun, Q(valid_to__isnull=True) | Q(valid_to__gt=now))
        if self.value() == "coming":
            return queryset.filter(coming_change(now))
        return queryset.filter(valid_to__lte=now) if self.value() == "ended" else queryset


@admin.register(Price)
class PriceAdmin(ModelAdmin):
    form = PriceForm
    change_list_template = "admin/pricing/price_list.html"
    list_display = (
        "variant",
        "product",
        "amount",
        "currency",
        "store",
        "price_list",
        "min_quantity",
        "valid_from",
        "valid_to",
    )
    list_filter = (WhenFilter, "currency", "store", "price_list")
    list_select_related = ("variant__product", "store", "price_list")
    search_fields = ("variant__sku", "variant__product__name")
    ordering = ("-pk",)
    autocomplete_fields = ("variant", "store", "price_list")
    fields = (
        "variant",
        ("amount", "compare_at", "currency"),
        ("store", "price_list"),
        "min_quantity",
        ("valid_from", "valid_to"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.calendar_view)
        calendar = path("calendar/", view, name="pricing_price_calendar")
        return [calendar, *super().get_urls()]

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        """What begins and ends next, day by day."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Coming price changes"),
            "opts": self.opts,
            "rows": [
                (change, money_text(change.price.amount, change.price.currency))
                for change in coming_changes(at=timezone.now(), limit=CALENDAR_ROWS)
            ],
        }
        return TemplateResponse(request, "admin/pricing/price_calendar.html", context)

    @display(description=_("product"))
    def product(self, price: Price) -> str:
        return str(price.variant.product)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["variant"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        data = PriceData.of(obj)
        if change:
            services.change_price(price=obj, data=data)
            self.audit_change(obj, form)
        else:
            obj.pk = services.add_price(data=data).pk

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        services.remove_price(price=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        for price in queryset:
            services.remove_price(price=price)
