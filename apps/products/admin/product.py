"""The page where a merchant keeps a product: its variants, options, images and publications."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.files.storage import default_storage
from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from apps.core import audit
from apps.core.admin import ModelAdmin, StackedInline, TabularInline
from apps.products.admin.forms import (
    ImageForm,
    OptionForm,
    ProductForm,
    PublicationForm,
    RelationForm,
    TagActionForm,
    VariantForm,
    VariantFormSet,
    attribute_fields,
)
from apps.products.models import (
    Option,
    Product,
    ProductImage,
    ProductRelation,
    Publication,
    Variant,
)
from apps.products.services import images
from apps.products.services import product as products
from apps.products.services.options import set_values


def preview(image: ProductImage | None) -> SafeString | str:
    """A small picture of an image that is ready."""
    if image is None or not image.renditions:
        return "–"
    url = default_storage.url(image.renditions[0]["path"])
    return format_html(
        '<img src="{}" alt="{}" width="40" height="40" loading="lazy"'
        ' style="object-fit: cover; width: 40px; height: 40px; border-radius: 4px">',
        url,
        image.alt,
    )


class VariantInline(TabularInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    fields = (
        "sku",
        "name",
        "option_values",
        "weight",
        "gtin",
        "track_inventory",
        "is_active",
        "position",
    )
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).prefetch_related("option_values")


class OptionInline(TabularInline):
    model = Option
    form = OptionForm
    fields = ("name", "values", "position")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Option]:
        return super().get_queryset(request).prefetch_related("values")


class ImageInline(TabularInline):
    model = ProductImage
    form = ImageForm
    fields = ("picture", "upload", "source_url", "alt", "position", "status", "error")
    readonly_fields = ("picture", "status", "error")
    tab = True

    @display(description=_("picture"))
    def picture(self, image: ProductImage) -> SafeString | str:
        return preview(image)


class PublicationInline(StackedInline):
    model = Publication
    form = PublicationForm
    fields = ("store", ("starts_at", "ends_at"), "members_only", "groups")
    autocomplete_fields = ("store", "groups")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return super().get_queryset(request).select_related("store")


class RelationInline(TabularInline):
    model = ProductRelation
    form = RelationForm
    fk_name = "product"
    fields = ("related", "position")
    autocomplete_fields = ("related",)
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductRelation]:
        return super().get_queryset(request).select_related("related")


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    form = ProductForm
    inlines = (VariantInline, OptionInline, ImageInline, PublicationInline, RelationInline)
    list_display = ("picture", "name", "shown_status", "brand", "variant_count", "updated_at")
    list_display_links = ("picture", "name")
    list_filter = ("status", ("brand", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("brand",)
    search_fields = ("name", "slug", "variants__sku")
    ordering = ("-pk",)
    autocomplete_fields = ("brand", "product_type", "seller", "categories", "tags")
    prepopulated_fields = {"slug": ("name",)}
    actions = ("activate", "archive", "add_tag")
    action_form = TagActionForm
    export_fields = ("slug", "name", "status", "brand__name", "created_at")
    readonly_fields = ("public_id", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        ready = ProductImage.objects.filter(status=ProductImage.Status.READY)
        counts = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
        count = Subquery(counts.annotate(n=Count("pk")).values("n"), IntegerField())
        return (
            super()
            .get_queryset(request)
            .annotate(variant_total=Coalesce(count, 0))
            .prefetch_related(Prefetch("images", ready, to_attr="ready_images"))
        )

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = type("ProductForm", (ProductForm,), attribute_fields(obj))
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        main = ("name", "slug", "description", ("status", "brand"), ("product_type", "tax_class"))
        main += ("is_gift_card",)
        sets: list[Any] = [(None, {"fields": (*main, ("categories", "tags"))})]
        if attributes := tuple(attribute_fields(obj)):
            sets.append((_("Attributes"), {"fields": attributes}))
        seo = ("seo_title", "seo_description")
        sets.append((_("Search engines"), {"fields": seo, "classes": ("collapse",)}))
        more = ("seller", "metadata", *self.readonly_fields)
        sets.append((_("More"), {"fields": more, "classes": ("collapse",)}))
        return sets

    @display(description="")
    def picture(self, obj: Product) -> SafeString | str:
        ready = getattr(obj, "ready_images", [])
        return preview(ready[0] if ready else None)

    @display(
        description=_("status"),
        ordering="status",
        label={"active": "success", "draft": "info", "archived": "warning"},
    )
    def shown_status(self, obj: Product) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @display(description=_("variants"))
    def variant_count(self, obj: Product) -> int:
        return obj.variant_total  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        products.prepare_product(product=obj)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is ProductImage:
            _save_images(formset)
        else:
            super().save_formset(request, form, formset, change)
            if formset.model is Option:
                for row in formset.forms:
                    if row.instance.pk and "values" in row.changed_data:
                        set_values(option=row.instance, values=row.cleaned_data["values"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        products.settle_product(product=form.instance)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What must stay is no obstacle: such products are archived instead."""
        return [str(obj) for obj in objs], {Product._meta.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        if not products.delete_product(product=obj):
            text = _("%s was archived: orders or stock refer to it.") % obj
            self.message_user(request, text, messages.WARNING)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset:
            self.delete_model(request, product)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_status(request, queryset, Product.Status.ACTIVE)

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_status(request, queryset, Product.Status.ARCHIVED)

    def _set_status(self, request: HttpRequest, queryset: QuerySet[Product], status: str) -> None:
        changed = products.set_status(products=queryset, status=status)
        self.message_user(request, _("%d products changed.") % changed)

    @admin.action(description=_("Add a tag"), permissions=["change"])
    def add_tag(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        name = request.POST.get("tag", "").strip()
        if not name:
            self.message_user(request, _("Type the tag beside the action."), messages.ERROR)
            return
        tag = products.add_tag(products=queryset, name=name)
        self.message_user(request, _("Tagged: %s") % tag)


def _save_images(formset: Any) -> None:
    formset.save(commit=False)
    for image in formset.deleted_objects:
        audit.record("delete", image)
        images.delete_image(image=image)
    for image, changed in formset.changed_objects:
        fields = {name: getattr(image, name) for name in changed if name in ("alt", "position")}
        images.update_image(image=image, fields=fields)
    for form in formset.extra_forms:
        row = form.cleaned_data
        if not form.has_changed() or row.get("DELETE"):
            continue
        product, alt = formset.instance, row["alt"]
        if row.get("upload"):
            image = images.add_image(product=product, upload=row["upload"], alt=alt)
        else:
            image = images.add_image_from(product=product, source_url=row["source_url"], alt=alt)
        form.instance = image
    formset.new_objects = []
