"""One variant: measures, customs, its image; upper rooms add prices and stock."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin
from apps.products.admin.forms import VariantForm, values_of
from apps.products.models import Variant
from apps.products.services import variants
from apps.products.services.product import touch_product


@admin.register(Variant)
class VariantAdmin(ModelAdmin):
    form = VariantForm
    list_display = ("sku", "product", "options", "gtin", "is_active")
    list_filter = ("is_active", "track_inventory")
    list_select_related = ("product",)
    search_fields = ("sku", "gtin", "product__name")
    ordering = ("-pk",)
    autocomplete_fields = ("product",)
    export_fields = ("sku", "product__slug", "name", "gtin", "weight", "is_active")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "product",
                    ("sku", "name"),
                    ("gtin", "position"),
                    ("is_active", "track_inventory"),
                    ("option_values", "image"),
                )
            },
        ),
        (
            _("Shipping"),
            {
                "fields": (
                    ("requires_shipping", "weight"),
                    ("length", "width", "height"),
                    ("hs_code", "origin_country"),
                )
            },
        ),
        (
            _("Quantities"),
            {
                "fields": (
                    ("min_quantity", "quantity_step", "max_quantity"),
                    ("unit_quantity", "unit", "unit_reference"),
                )
            },
        ),
        (_("More"), {"fields": ("metadata",), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).prefetch_related("option_values__option")

    @display(description=_("options"))
    def options(self, obj: Variant) -> str:
        values = sorted(obj.option_values.all(), key=lambda value: value.option.position)
        return ", ".join(value.value for value in values)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Variants are added on the page of their product."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("product",)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        if obj is None or "option_values" not in form.base_fields:
            return form
        values = values_of(obj.product)

        class OfProduct(form):  # type: ignore[valid-type,misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.offer(values)
                self.fields["image"].queryset = obj.product.images.all()

        return OfProduct

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touch_product(product=form.instance.product)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What must stay is no obstacle: such variants are taken off sale instead."""
        return [str(obj) for obj in objs], {Variant._meta.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Variant) -> None:
        variants.delete_variant(variant=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Variant]) -> None:
        for variant in queryset.select_related("product"):
            variants.delete_variant(variant=variant)
