"""Promotions in the back office: one page with everything, and the buttons of its codes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin
from apps.core.admin_previews import PreviewsMixin
from apps.core.errors import DomainError
from apps.core.spreadsheet import csv_response
from apps.promotions import services
from apps.promotions.admin.fields import NAMED, choices_of
from apps.promotions.admin.forms import EFFECTS, PromotionForm, selection_rows
from apps.promotions.admin.texts import effect_text
from apps.promotions.models import Coupon, Promotion, Redemption

STATUS_COLOURS = {
    Promotion.Status.INACTIVE: "warning",
    Promotion.Status.USED_UP: "danger",
    Promotion.Status.ENDED: "danger",
    Promotion.Status.SCHEDULED: "info",
    Promotion.Status.RUNNING: "success",
}
_EFFECT_ROWS: dict[str, tuple[Any, ...]] = {
    "percentage": (("percentage__percent", "percentage__of"),),
    "amount_off": ("amount_off__amount", "amount_off__per"),
    "fixed_price": ("fixed_price__price",),
    "quantity_tiers": ("quantity_tiers__tiers",),
    "buy_x_get_y": (
        ("buy_x_get_y__buy", "buy_x_get_y__get", "buy_x_get_y__percent"),
        "get_which",
        *selection_rows("get"),
        *selection_rows("get", "not_"),
        "get__reduced",
    ),
    "free_shipping": ("free_shipping__methods", "free_shipping__up_to"),
    "free_gift": (("free_gift__sku", "free_gift__quantity"),),
}


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Promotion.Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in Promotion.Status.values:
            return queryset
        return queryset.in_status(self.value(), timezone.now())  # type: ignore[attr-defined]


class EffectFilter(admin.SimpleListFilter):
    title = _("what it gives")
    parameter_name = "effect"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(EFFECTS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(effect__type=self.value()) if self.value() else queryset


@admin.register(Promotion)
class PromotionAdmin(PreviewsMixin, ModelAdmin):
    form = PromotionForm
    list_display = ("name", "code", "gives", "state", "uses", "starts_at", "ends_at")
    list_filter = (StatusFilter, EffectFilter, "needs_code", "is_catalogue", "stores")
    search_fields = ("name", "code", "=coupons__code")
    search_help_text = _("Name, code, or one of its codes in full")
    ordering = ("-pk",)
    autocomplete_fields = ("stores",)
    change_form_outer_before_template = "admin/promotions/promotion_links.html"

    class Media:
        js = ("back_office/promotion.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Promotion]:
        redeemed = (
            Redemption.objects.filter(promotion=OuterRef("pk"))
            .order_by()
            .values("promotion")
            .annotate(n=Count("pk"))
        )
        found = super().get_queryset(request)
        return found.annotate(redeemed=Coalesce(Subquery(redeemed.values("n")), 0))

    @admin.display(description=_("gives"))
    def gives(self, promotion: Promotion) -> str:
        return effect_text(promotion.effect)

    @display(description=_("status"), label=STATUS_COLOURS)
    def state(self, promotion: Promotion) -> tuple[str, Any]:
        status = promotion.status_at(timezone.now())
        return status, status.label

    @admin.display(description=_("orders"), ordering="redeemed")
    def uses(self, promotion: Any) -> str:
        limit = promotion.usage_limit
        return str(promotion.redeemed) if limit is None else f"{promotion.redeemed} / {limit}"

    @admin.display(description=_("conditions"))
    def conditions_text(self, promotion: Promotion) -> str:
        """For those who may only look."""
        return ", ".join(f"{name}: {value}" for name, value in promotion.conditions.items())

    def get_fieldsets(self, request: HttpRequest, obj: Promotion | None = None) -> Any:
        rows = _rows(self.has_change_permission(request, obj) if obj else True)
        return [(title, {"fields": fields, **more}) for title, fields, more in rows]

    def get_readonly_fields(self, request: HttpRequest, obj: Promotion | None = None) -> Any:
        # Orders and other systems know it by its code.
        fixed = ["code"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def save_model(self, request: HttpRequest, obj: Promotion, form: Any, change: bool) -> None:
        try:
            services.save_promotion(promotion=obj, stores=form.cleaned_data["stores"])
        except services.InvalidPromotion as error:
            # Orders used it up while the page was open.
            self.message_user(request, str(error), messages.ERROR)

    def delete_model(self, request: HttpRequest, obj: Promotion) -> None:
        services.delete_promotion(promotion=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Promotion]) -> None:
        for promotion in queryset:
            try:
                services.delete_promotion(promotion=promotion)
            except DomainError as error:
                self.message_user(request, f"{promotion}: {error}", messages.ERROR)

    def has_delete_permission(self, request: HttpRequest, obj: Promotion | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        used = obj is not None and Redemption.objects.filter(promotion=obj).exists()
        return allowed and not used

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its codes go along; a hundred thousand of them aren't listed."""
        codes = Coupon.objects.filter(promotion__in=objs).count()
        counts = {self.opts.verbose_name_plural: len(objs)}
        counts |= {Coupon._meta.verbose_name_plural: codes} if codes else {}
        return [str(obj) for obj in objs], counts, set(), []

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "promotions_promotion"
        return [
            path("choices/<slug:kind>/", wrap(self.choices_view), name=f"{name}_choices"),
            path("<int:pk>/codes.csv", wrap(self.codes_view), name=f"{name}_codes"),
            *super().get_urls(),
        ]

    def choices_view(self, request: HttpRequest, kind: str) -> JsonResponse:
        """Names for the form's selects."""
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        if kind not in NAMED:
            raise Http404
        found = choices_of(kind, request.GET.get("term", "")[:100].replace("\x00", ""))
        return JsonResponse({"results": found, "pagination": {"more": False}})

    def codes_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The codes of a promotion, or of one batch (`?batch=`), as a file."""
        if not request.user.has_perm("promotions.view_coupon"):
            raise PermissionDenied
        promotion = get_object_or_404(Promotion, pk=pk)
        rows = Coupon.objects.filter(promotion=promotion).order_by("pk")
        if batch := request.GET.get("batch", "").replace("\x00", ""):
            rows = rows.filter(batch=batch)
        columns = ("code", "batch", "is_active", "usage_limit", "used")
        found = rows.values_list(*columns).iterator(chunk_size=1000)
        return csv_response(f"codes-{promotion.code}.csv", columns, found)

    def object_context(self, request: HttpRequest, obj: Promotion) -> dict[str, Any]:
        return {"links": _links(request, obj)}


def _links(request: HttpRequest, promotion: Promotion) -> list[tuple[Any, str]]:
    """Where the rows of a promotion are listed, for whoever may see them."""
    query = urlencode({"promotion__id__exact": promotion.pk})
    links: list[tuple[Any, str]] = []
    if request.user.has_perm("promotions.view_coupon"):
        page = reverse("admin:promotions_coupon_changelist")
        links.append((_("Codes"), f"{page}?{query}"))
        file = reverse("admin:promotions_promotion_codes", args=[promotion.pk])
        links.append((_("All codes as CSV"), file))
        batches = promotion.coupons.exclude(batch="").values("batch").annotate(n=Count("pk"))
        links += [
            (
                _("Batch %(name)s as CSV (%(count)s)") % {"name": row["batch"], "count": row["n"]},
                f"{file}?{urlencode({'batch': row['batch']})}",
            )
            for row in batches.order_by("batch")[:20]
        ]
    if request.user.has_perm("promotions.view_redemption"):
        page = reverse("admin:promotions_redemption_changelist")
        links.append((_("Orders that use it"), f"{page}?{query}"))
    return links


def _rows(may_change: bool) -> list[tuple[Any, Any, dict[str, Any]]]:
    """(title, fields, options) of each part of the page."""
    general = ("name", "code"), ("is_active", "needs_code"), "is_catalogue", "stores"
    limits = (
        ("usage_limit", "usage_limit_per_customer", "max_per_order"),
        ("stacking_group", "priority"),
        "is_exclusive",
    )
    window = (("starts_at", "ends_at"), ("hours_from", "hours_to"))
    if not may_change:
        what = ("gives", "conditions_text")
        return [
            (None, general, {}),
            (_("What it gives"), what, {}),
            (_("When"), window, {}),
            (_("Limits and stacking"), limits, {}),
        ]
    effects: list[tuple[Any, Any, dict[str, Any]]] = [
        (title, _EFFECT_ROWS[kind], {"classes": ("effect", f"effect-{kind}")})
        for kind, title in EFFECTS
    ]
    people = (("min_quantity", "first_order"), "min_spend", "customer_groups", "segments")
    anything = _("Nothing chosen: everything. Of several kinds an item must fit each.")
    return [
        (None, general, {}),
        (_("What it gives"), ("effect_type",), {}),
        *effects,
        (
            _("Applies to"),
            (*selection_rows("items"), "items__reduced"),
            {"description": anything},
        ),
        (_("But not to"), selection_rows("items", "not_"), {"classes": ("collapse",)}),
        (_("For whom, and from how much"), people, {}),
        (_("When"), (*window, "weekdays"), {}),
        (_("Limits and stacking"), limits, {}),
    ]
