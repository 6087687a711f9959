"""Pick lists on a phone: a scanner types into the one field; every button works without JS."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ModelAdmin
from apps.core.admin_fields import ScopedChoiceField
from apps.core.errors import DomainError
from apps.fulfillment import services
from apps.fulfillment.models import PickList
from apps.fulfillment.selectors import pick_lines
from apps.inventory.models import Location

_DEFAULT = 20


class PickListForm(forms.Form):
    location = ScopedChoiceField(
        Location.objects.filter(is_active=True),
        label=_("Location"),
        empty_label=None,
    )
    shipments = forms.IntegerField(
        label=_("Shipments"),
        help_text=_("As many as there are boxes on the trolley; the oldest first."),
        min_value=1,
        max_value=services.MAX_BINS,
        initial=_DEFAULT,
    )


@admin.register(PickList)
class PickListAdmin(ModelAdmin):
    list_display = ("__str__", "location", "status", "picker", "created_at", "finished_at")
    list_filter = ("status", "location")
    list_select_related = ("location",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("fulfillment.pick")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.pick_view)
        name = "fulfillment_picklist_pick"
        return [path("<int:pk>/pick/", view, name=name), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PickListForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                services.plan_open(location=data["location"])
                made = services.make_pick_list(**data)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return redirect("admin:fulfillment_picklist_pick", made.pk)
        context = {"title": _("New pick list"), "form": form}
        return self._render(request, "admin/fulfillment/pick_new.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        pick_list = self.get_object(request, object_id)
        return self._page(request, get_object_or_404(PickList, pk=pick_list and pick_list.pk))

    def pick_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page on which somebody picks."""
        if not request.user.has_perm("fulfillment.pick"):
            raise PermissionDenied
        pick_list = get_object_or_404(self.get_queryset(request).select_related("location"), pk=pk)
        if request.method == "POST":
            return self._do(request, pick_list)
        return self._page(request, pick_list)

    def _do(self, request: HttpRequest, pick_list: PickList) -> HttpResponse:
        here = reverse("admin:fulfillment_picklist_pick", args=[pick_list.pk])
        try:
            if "finish" in request.POST:
                services.finish_pick_list(pick_list=pick_list)
                messages.success(request, _t("The list is done."))
                return redirect("admin:fulfillment_picklist_changelist")
            if short := request.POST.get("short", ""):
                number = int(short) if short.isascii() and short.isdigit() else 0
                services.report_short(pick_list=pick_list, line_id=min(number, 2**31))
                messages.warning(request, _t("Noted as missing."))
                return redirect(here)
            line = services.pick(
                pick_list=pick_list, code=request.POST.get("code", "").strip()[:100]
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            said = _t("Box %(bin)d: %(sku)s, %(picked)d of %(quantity)d") % {
                "bin": line.bin,
                "sku": line.line.order_line.sku,
                "picked": line.picked,
                "quantity": line.quantity,
            }
            messages.success(request, said)
        return redirect(here)

    def _page(self, request: HttpRequest, pick_list: PickList) -> HttpResponse:
        lines = list(pick_lines(pick_list))
        context = {
            "title": str(pick_list.location),
            "pick_list": pick_list,
            "open": [line for line in lines if line.left],
            "rest": [line for line in lines if not line.left],
            "left": sum(line.left for line in lines),
            "may_pick": pick_list.status == PickList.Status.OPEN
            and request.user.has_perm("fulfillment.pick"),
            "url": reverse("admin:fulfillment_picklist_pick", args=[pick_list.pk]),
        }
        return self._render(request, "admin/fulfillment/pick.html", context)

    def _render(
        self, request: HttpRequest, template: str, context: dict[str, Any]
    ) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})
