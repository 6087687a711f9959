"""Zones, and the question whether an address belongs to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.shipping.admin.fields import PatternsField, PlaceForm, textarea
from apps.shipping.models import Zone
from apps.shipping.selectors import belongs
from apps.shipping.services import clean_exclusions, clean_places

LEVELS: Mapping[str, Any] = {
    "nowhere": _("No: nothing in the zone names it, or an exception does."),
    "everywhere": _("Yes, as everywhere else (*)."),
    "country": _("Yes, by its country."),
    "region": _("Yes, by its region."),
    "postcode": _("Yes, by its postcode."),
}


class ZoneForm(AmountModelForm):
    places = PatternsField(
        label=_("Places"),
        widget=textarea(),
        clean=clean_places,
        help_text=_(
            "Separated by commas: countries (ES), regions (ES-GC), postcodes (ES:35001, GB:BT*,"
            " ES:35000-35999), or * for everywhere else. The closest zone wins."
        ),
    )
    exclusions = PatternsField(
        label=_("Except"),
        widget=textarea(),
        clean=clean_exclusions,
        required=False,
        help_text=_("What doesn't belong to it, written the same way."),
    )


@admin.register(Zone)
class ZoneAdmin(ModelAdmin):
    form = ZoneForm
    list_display = ("name", "where")
    search_fields = ("name",)
    fields = ("name", "places", "exclusions", "check_link")
    readonly_fields = ("check_link",)

    @display(description=_("places"))
    def where(self, zone: Zone) -> str:
        return ", ".join(zone.places[:20])

    @display(description=_("Does an address belong here?"))
    def check_link(self, zone: Zone) -> str:
        if zone.pk is None:
            return "–"
        url = reverse("admin:shipping_zone_check", args=[zone.pk])
        style = "text-primary-600 dark:text-primary-500 underline"
        return format_html('<a class="{}" href="{}">{}</a>', style, url, _("Check an address"))

    def has_delete_permission(self, request: HttpRequest, obj: Zone | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.methods.exists())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.check_view)
        return [
            path("<int:pk>/check/", view, name="shipping_zone_check"),
            *super().get_urls(),
        ]

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Whether an address belongs to the zone, and by what."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        zone = Zone.objects.filter(pk=pk).first()
        if zone is None:
            raise Http404
        form = PlaceForm(request.GET or None)
        answer = LEVELS[belongs(zone, form.cleaned_data)] if form.is_valid() else ""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Does an address belong to %s?") % zone,
            "opts": self.opts,
            "form": form,
            "answer": answer,
        }
        return TemplateResponse(request, "admin/shipping/zone_check.html", context)
