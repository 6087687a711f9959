"""Codes in the back office: found, handed out as a file, switched on and off."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin
from apps.core.admin_actions import Action, extend_actions
from apps.promotions import services
from apps.promotions.models import Coupon

# A promotion has a handful of batches; more of them are found by their name.
_MOST_BATCHES = 50


class BatchFilter(admin.SimpleListFilter):
    """The batches of the promotion that the list is about."""

    title = _("batch")
    parameter_name = "batch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        promotion = request.GET.get("promotion__id__exact", "")
        if not (promotion.isascii() and promotion.isdigit() and len(promotion) < 19):
            return [(name, name) for name in request.GET.getlist("batch")]
        rows = Coupon.objects.filter(promotion=int(promotion)).exclude(batch="")
        names = rows.order_by("batch").values_list("batch", flat=True).distinct()
        return [(name, name) for name in names[:_MOST_BATCHES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        return queryset.filter(batch=self.value()) if self.value() else queryset


class UsedFilter(admin.SimpleListFilter):
    title = _("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unused", _("unused")), ("used", _("used")), ("up", _("used up"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        # A code without a limit isn't counted, only redeemed.
        used = Q(used__gt=0) | Q(usage_limit__isnull=True, redemptions__isnull=False)
        if self.value() == "unused":
            return queryset.exclude(pk__in=Coupon.objects.filter(used).values("pk"))
        if self.value() == "used":
            return queryset.filter(pk__in=Coupon.objects.filter(used).values("pk"))
        if self.value() == "up":
            return queryset.filter(usage_limit__isnull=False, used__gte=F("usage_limit"))
        return queryset


def _switch(active: bool) -> Any:
    return lambda coupon, data: services.set_coupon_active(coupon=coupon, active=active)


extend_actions(
    Coupon,
    Action(
        name="activate",
        label=_("Activate"),
        done=_("The code can be used."),
        permission="promotions.change_coupon",
        run=_switch(True),
        offered=lambda coupon: not coupon.is_active,
        icon="play_arrow",
        in_list=True,
    ),
    Action(
        name="deactivate",
        label=_("Deactivate"),
        done=_("The code can't be used any more."),
        permission="promotions.change_coupon",
        run=_switch(False),
        offered=lambda coupon: coupon.is_active,
        icon="block",
        in_list=True,
    ),
)


@admin.register(Coupon)
class CouponAdmin(ReadOnlyAdmin):
    """Codes are made on their promotion's page."""

    list_display = ("code", "promotion", "batch", "used", "usage_limit", "is_active")
    list_filter = ("is_active", UsedFilter, BatchFilter)
    list_select_related = ("promotion",)
    search_fields = ("code__startswith", "=batch", "=promotion__code")
    search_help_text = _("Code (or how it begins), batch, the promotion's code")
    ordering = ("-pk",)
    fields = ("code", "promotion", "batch", ("used", "usage_limit"), "is_active")
    readonly_fields = ("used",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Coupon], search_term: str
    ) -> tuple[QuerySet[Coupon], bool]:
        # Codes are kept in capitals.
        found, distinct = super().get_search_results(request, queryset, search_term)
        if search_term != search_term.upper():
            capitals = queryset.filter(code__startswith=search_term.strip().upper())
            found = queryset.filter(Q(pk__in=found.values("pk")) | Q(pk__in=capitals.values("pk")))
        return found, distinct
