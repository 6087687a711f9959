"""Rules of orders, and what they would do at this moment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ModelAdmin
from apps.core.errors import DomainError
from apps.core.fields import AmountModelForm
from apps.orders.models import OrderRule
from apps.orders.services.automation import MOST_AT_ONCE, check_rule, foresee


class OrderRuleForm(AmountModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("action") != OrderRule.Action.TAG:
            cleaned["tag"] = None
        if not self.errors:
            draft = OrderRule(
                trigger=cleaned["trigger"], action=cleaned["action"], tag=cleaned["tag"]
            )
            try:
                check_rule(draft)
            except DomainError as error:
                self.add_error(error.field, forms.ValidationError(str(error)))
        return cleaned


@admin.register(OrderRule)
class OrderRuleAdmin(ModelAdmin):
    form = OrderRuleForm
    list_display = ("name", "store", "trigger", "after_hours", "action", "tag", "is_active")
    list_filter = ("is_active", "trigger", "action", "store")
    list_select_related = ("store", "tag")
    ordering = ("pk",)
    change_list_template = "admin/orders/rule_list.html"

    def has_delete_permission(self, request: HttpRequest, obj: OrderRule | None = None) -> bool:
        """One that came along would come again: it is switched off instead."""
        if obj is not None and obj.code:
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.outlook_view)
        return [path("outlook/", view, name="orders_orderrule_outlook"), *super().get_urls()]

    def outlook_view(self, request: HttpRequest) -> HttpResponse:
        """What the active rules would do now; nothing is changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("What the rules would do now"),
            "opts": self.opts,
            "outlooks": foresee(),
            "limit": MOST_AT_ONCE,
        }
        return TemplateResponse(request, "admin/orders/rule_outlook.html", context)
