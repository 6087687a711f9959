"""Payment accounts in the back office. Secrets can be written here, and never read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ModelAdmin
from apps.core.errors import DomainError
from apps.payments import services
from apps.payments.models import GatewayAccount

_FIELDS = ("store", "gateway", "position", "is_enabled", "is_test")
_TITLE = "title_"


class SecretInput(UnfoldAdminTextInputWidget):
    """Never filled in, never completed by the browser."""

    input_type = "password"

    def __init__(self, is_set: bool) -> None:
        shown = _("set; write to replace it") if is_set else ""
        super().__init__(attrs={"autocomplete": "off", "placeholder": shown})

    def format_value(self, value: Any) -> None:
        return None


def _codes() -> list[tuple[str, str]]:
    found = []
    for code in settings.PAYMENT_GATEWAYS:
        try:
            services.credential_names(code)
        except services.InvalidAccount:
            continue
        found.append((code, code))
    return found


class AccountForm(forms.ModelForm):
    """Its titles by language and, once the gateway is known, what that needs."""

    gateway = forms.ChoiceField(label=_("gateway"), choices=_codes, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = GatewayAccount
        fields = _FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, name in settings.LANGUAGES:
            self.fields[f"{_TITLE}{language}"] = forms.CharField(
                label=_("title (%(language)s)") % {"language": name},
                required=False,
                max_length=120,
                initial=self.instance.titles.get(language, ""),
                widget=UnfoldAdminTextInputWidget,
            )
        self.secrets: tuple[str, ...] = ()
        self.options: tuple[str, ...] = ()
        if self.instance.pk:
            self._ask_credentials()

    def _ask_credentials(self) -> None:
        known = services.known_credentials(self.instance)
        self.secrets, self.options = services.credential_names(self.instance.gateway)
        for name in self.secrets:
            widget = SecretInput(bool(known.get(name)))
            self.fields[name] = forms.CharField(label=name, required=False, widget=widget)
        for name in self.options:
            self.fields[name] = forms.CharField(
                label=name,
                required=False,
                initial=known.get(name, ""),
                help_text=_("Empty: as in the settings."),
                widget=UnfoldAdminTextInputWidget,
            )

    @property
    def credentials(self) -> dict[str, str]:
        """What was written; options may also be emptied."""
        data = self.cleaned_data
        written = {name: data[name] for name in self.secrets if data.get(name)}
        return {**written, **{name: data.get(name, "") for name in self.options}}

    @property
    def changes(self) -> dict[str, Any]:
        titles = {
            language: text
            for language, _name in settings.LANGUAGES
            if (text := self.cleaned_data.get(f"{_TITLE}{language}"))
        }
        return {**{name: self.cleaned_data[name] for name in _FIELDS}, "titles": titles}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        # The service decides; what it wrote is undone here, and written by the page.
        try:
            with transaction.atomic():
                row = GatewayAccount.objects.filter(pk=self.instance.pk).first()
                services.save_account(
                    account=row or GatewayAccount(),
                    changes=self.changes,
                    credentials=self.credentials,
                )
                transaction.set_rollback(True)
        except DomainError as error:
            raise ValidationError(str(error)) from error
        return cleaned


@admin.register(GatewayAccount)
class GatewayAccountAdmin(ModelAdmin):
    form: Any = AccountForm
    list_display = ("gateway", "store", "position", "is_enabled", "is_test")
    list_select_related = ("store",)
    list_filter = ("is_enabled", "is_test")
    ordering = ("position", "pk")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The form itself adds its titles and keys.
        return super().get_form(request, obj, change=change, **{**kwargs, "fields": _FIELDS})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        titles = [f"{_TITLE}{language}" for language, _name in settings.LANGUAGES]
        sets = [(None, {"fields": _FIELDS}), (_("What shoppers read"), {"fields": titles})]
        if obj is not None:
            secrets, options = services.credential_names(obj.gateway)
            if secrets or options:
                sets.append((_("Keys"), {"fields": [*secrets, *options]}))
        return sets

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        row = GatewayAccount.objects.get(pk=obj.pk) if change else obj
        saved = services.save_account(
            account=row, changes=form.changes, credentials=form.credentials
        )
        obj.pk, obj.credentials = saved.pk, saved.credentials
