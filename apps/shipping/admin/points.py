"""Pick-up points."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.addresses import InvalidAddress, address_lines
from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.shipping.models import PickupPoint, ShippingMethod
from apps.shipping.services import InvalidPickupPoint, check_pickup_point, point_address

_ADDRESS = ("line1", "line2", "postal_code", "city", "region", "country", "phone")


def _text(label: Any, length: int, *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, max_length=length, required=required, widget=widget)


class PickupPointForm(AmountModelForm):
    line1 = _text(_("address"), 200, required=True)
    line2 = _text(_("address, second line"), 200)
    postal_code = _text(_("postcode"), 20)
    city = _text(_("city"), 100)
    region = _text(_("region"), 100)
    country = _text(_("country"), 2, required=True)
    phone = _text(_("phone"), 40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = self.instance.address or {}
        self.initial.update({name: address.get(name, "") for name in _ADDRESS})
        field: Any = self.fields.get("method")
        if field is not None:
            kind = ShippingMethod.Kind.PICKUP
            field.queryset = ShippingMethod.objects.filter(kind=kind)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            check_pickup_point(point=PickupPoint(method=cleaned["method"]))
            self.instance.address = point_address({name: cleaned[name] for name in _ADDRESS})
        except InvalidPickupPoint as error:
            self.add_error("method", str(error))
        except InvalidAddress as error:
            for problem in error.extra["errors"]:
                field = problem["field"] if problem["field"] in _ADDRESS else None
                self.add_error(field, problem["message"])
        return cleaned


@admin.register(PickupPoint)
class PickupPointAdmin(ModelAdmin):
    form = PickupPointForm
    list_display = ("name", "method", "where", "is_active")
    list_filter = ("method", "is_active")
    list_select_related = ("method",)
    readonly_fields = ("where",)
    search_fields = ("name", "=location_code")
    fieldsets = (
        (None, {"fields": (("name", "method"), ("location_code", "is_active"))}),
        (
            _("Where it is"),
            {
                "fields": (
                    ("line1", "line2"),
                    ("postal_code", "city"),
                    ("region", "country"),
                    "phone",
                    "opening_hours",
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: PickupPoint | None = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        # The address is typed in parts that are no columns, so it is shown as a whole.
        shown = ("name", "method", "location_code", "is_active", "where", "opening_hours")
        return [(None, {"fields": shown})]

    @display(description=_("address"))
    def where(self, point: PickupPoint) -> str:
        return ", ".join(address_lines(point.address))
