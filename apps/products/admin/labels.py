"""Brands, tags, collections, product types and attributes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin, TabularInline
from apps.core.fields import AmountModelForm
from apps.products.admin.forms import RuleWidget
from apps.products.models import (
    Attribute,
    Brand,
    Collection,
    CollectionProduct,
    Product,
    ProductType,
    Tag,
)
from apps.products.services import attributes, collections, labels


class SlugForm(AmountModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Made from the name when it is empty.")


class _LabelAdmin(ModelAdmin):
    form = SlugForm
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        labels.delete_label(label=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for label in queryset:
            labels.delete_label(label=label)


@admin.register(Brand)
class BrandAdmin(_LabelAdmin):
    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        if change:
            self.audit_change(obj, form)
        labels.save_brand(brand=obj)


@admin.register(Tag)
class TagAdmin(_LabelAdmin):
    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        if change:
            self.audit_change(obj, form)
        labels.save_tag(tag=obj)


class CollectionForm(SlugForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == Collection.Kind.RULE and "rule" in cleaned:
            try:
                collections.clean_rule(cleaned["rule"])
            except collections.InvalidRule as error:
                self.add_error("rule", str(error))
        return cleaned


class CollectionProductInline(TabularInline):
    model = CollectionProduct
    autocomplete_fields = ("product",)
    fields = ("product", "position")
    verbose_name_plural = _("products, of a collection chosen by hand")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionProduct]:
        return super().get_queryset(request).select_related("product")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _by_rule(obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and not _by_rule(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _by_rule(obj)


def _by_rule(obj: Collection | None) -> bool:
    return obj is not None and obj.kind == Collection.Kind.RULE


@admin.register(Collection)
class CollectionAdmin(ModelAdmin):
    form = CollectionForm
    inlines = (CollectionProductInline,)
    list_display = ("name", "slug", "kind", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    fields = (
        ("name", "slug"),
        ("kind", "is_active"),
        "rule",
        "description",
        ("seo_title", "seo_description"),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "rule":
            field.widget = RuleWidget()
            field.help_text = _(
                'Conditions on "tag", "brand", "category" or "product_type":'
                ' {"all": [{"field": "tag", "value": "summer"}]}'
            )
        return field

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        if change:
            self.audit_change(obj, form)
        collections.save_collection(collection=obj, fields={})


@admin.register(ProductType)
class ProductTypeAdmin(ModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")
    ordering = ("name",)
    autocomplete_fields = ("attributes",)
    prepopulated_fields = {"code": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A type that products are of stays."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.products.exists())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class AttributeForm(AmountModelForm):
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        widget=RuleWidget,
        help_text=_("One on each line."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["choices"] = "\n".join(self.instance.choices)

    def clean_choices(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean_kind(self) -> str:
        kind = self.cleaned_data["kind"]
        if self.instance.pk and kind != self.instance.kind and _in_use(self.instance):
            raise ValidationError(_("Products have values of another type."))
        return kind


def _in_use(attribute: Attribute) -> bool:
    return Product.objects.filter(attributes__has_key=attribute.code).exists()


@admin.register(Attribute)
class AttributeAdmin(ModelAdmin):
    form = AttributeForm
    list_display = ("name", "code", "shown_kind", "unit", "is_filterable")
    list_filter = ("kind", "is_filterable")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = (("name", "code"), ("kind", "unit"), "choices", "is_filterable")
    prepopulated_fields = {"code": ("name",)}

    @display(description=_("kind"), ordering="kind")
    def shown_kind(self, obj: Attribute) -> str:
        return obj.get_kind_display()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Products keep their values by the code."""
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Attribute, form: Any, change: bool) -> None:
        if change:
            self.audit_change(obj, form)
        attributes.save_attribute(attribute=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An attribute of which products have values stays."""
        return super().has_delete_permission(request, obj) and (obj is None or not _in_use(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
