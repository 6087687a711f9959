"""The category tree, as an indented list."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.products.models import Category, Product
from apps.products.services import categories


class CategoryForm(AmountModelForm):
    parent = forms.ModelChoiceField(
        label=_("Below"),
        queryset=Category.objects.all(),
        required=False,
        help_text=_("Empty: at the top."),
        widget=AutocompleteSelect(cast(Any, Product._meta.get_field("categories")), admin.site),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
        if self.instance.pk and "parent" in self.fields:
            path = self.instance.path[: -Category.steplen]
            self.initial["parent"] = Category.objects.filter(path=path).first()

    def clean_parent(self) -> Category | None:
        parent = self.cleaned_data["parent"]
        if parent and self.instance.pk and parent.path.startswith(self.instance.path):
            raise ValidationError(_("A category can't be moved below itself."))
        return parent


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    form = CategoryForm
    list_display = ("indented", "slug", "product_count", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    ordering = ("path",)
    prepopulated_fields = {"slug": ("name",)}
    fields = (
        ("name", "slug"),
        ("parent", "is_active"),
        "description",
        ("seo_title", "seo_description"),
    )
    list_per_page = 200

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        links = Product.categories.through.objects.filter(category=OuterRef("pk")).order_by()
        counts = links.values("category").annotate(n=Count("pk")).values("n")
        count = Coalesce(Subquery(counts, IntegerField()), 0)
        return super().get_queryset(request).annotate(product_total=count)

    @display(description=_("name"))
    def indented(self, obj: Category) -> SafeString:
        return format_html(
            '<span style="padding-left: {}rem">{}</span>', (obj.depth - 1) * 1.5, obj.name
        )

    @display(description=_("products"))
    def product_count(self, obj: Category) -> int:
        return obj.product_total  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        names = ("name", "slug", "description", "is_active", "seo_title", "seo_description")
        fields: Any = {n: form.cleaned_data[n] for n in names if n in form.cleaned_data}
        parent = form.cleaned_data.get("parent")
        if not change:
            made = categories.create_category(fields=fields, parent=parent)
            obj.pk = made.pk
            obj._state.adding = False
            obj.refresh_from_db()
            return
        self.audit_change(obj, form)
        if "parent" in form.changed_data:
            fields["parent"] = parent
        categories.change_category(category=obj, fields=fields)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        categories.delete_category(category=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        """Branches are cut from their leaves; several at once could hold one another."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_leaf())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
