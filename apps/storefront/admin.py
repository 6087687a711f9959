"""What merchants say about searches, and what was searched for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldBooleanSwitchWidget

from apps.core.admin import ModelAdmin
from apps.storefront.engines.words import phrase
from apps.storefront.models import SearchQuery, SearchRedirect, SearchSynonym
from apps.storefront.selectors.searches import DAYS, search_report
from apps.storefront.services.rules import (
    InvalidRedirect,
    InvalidSynonym,
    check_redirect,
    check_synonym,
)

_ROWS = 50


class SynonymForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_synonym(words=cleaned["words"])
            except InvalidSynonym as error:
                self.add_error("words", str(error))
        return cleaned


class RedirectForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            cleaned["query"] = phrase(cleaned["query"])[:200]
            try:
                check_redirect(query=cleaned["query"], target=cleaned["target"])
            except InvalidRedirect as error:
                self.add_error(error.field, str(error))
        return cleaned


class SearchReportForm(forms.Form):
    since = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget)
    until = forms.DateField(label=_("Until"), widget=UnfoldAdminDateWidget)
    zero = forms.BooleanField(
        label=_("Only without result"), required=False, widget=UnfoldBooleanSwitchWidget
    )


@admin.register(SearchQuery)
class SearchQueryAdmin(ModelAdmin):
    """A report instead of a list: the rows are counts of days."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.localdate()
        given = {"since": today - timedelta(days=DAYS - 1), "until": today}
        form = SearchReportForm({**given, **request.GET.dict()})
        rows = search_report(**form.cleaned_data) if form.is_valid() else SearchQuery.objects.none()
        query = request.GET.copy()
        query.pop("p", None)
        zero = form.is_valid() and form.cleaned_data["zero"]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Searches without results") if zero else _("Searches"),
            "opts": self.opts,
            "form": form,
            "page": Paginator(rows, _ROWS).get_page(request.GET.get("p")),
            "query": query.urlencode(),
            "may_synonym": request.user.has_perm("storefront.add_searchsynonym"),
            "may_redirect": request.user.has_perm("storefront.add_searchredirect"),
        }
        return TemplateResponse(request, "admin/storefront/searches.html", context)


@admin.register(SearchSynonym)
class SearchSynonymAdmin(ModelAdmin):
    form = SynonymForm
    list_display = ("words", "store")
    list_filter = ("store",)
    list_select_related = ("store",)
    search_fields = ("words",)
    fields = ("store", "words")


@admin.register(SearchRedirect)
class SearchRedirectAdmin(ModelAdmin):
    form = RedirectForm
    list_display = ("query", "target", "store")
    list_filter = ("store",)
    list_select_related = ("store",)
    search_fields = ("query", "target")
    fields = ("store", "query", "target")
