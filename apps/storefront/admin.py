"""What merchants say about searches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from apps.core.admin import ModelAdmin
from apps.storefront.engines.words import phrase
from apps.storefront.models import SearchRedirect, SearchSynonym
from apps.storefront.services.rules import (
    InvalidRedirect,
    InvalidSynonym,
    check_redirect,
    check_synonym,
)


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
