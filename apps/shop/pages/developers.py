"""For who writes software against the shop: the documentation, one's own API keys, their usage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import ApiKey, User
from apps.accounts.selectors import api_keys_of, api_usage_of
from apps.accounts.services import api_keys
from apps.core.errors import DomainError, NotFound
from apps.shop.pages.account import PER_PAGE, MyPage
from apps.shop.pages.forms import ApiKeyForm, RotationForm, add_problem


class _DevelopersPage(MyPage):
    back = "developers"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and user.needs_second_factor and not user.has_second_factor:
            return redirect("shop:second-factor")
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return self.request.user  # type: ignore[return-value]

    def show_keys(self, status: int = 200, **context: Any) -> HttpResponse:
        usage = api_usage_of(self.user)
        page = Paginator(usage, PER_PAGE).get_page(self.request.GET.get("page"))
        may_make = self.user.has_perm("accounts.add_apikey")
        frame = {
            "keys": api_keys_of(self.user),
            "page": page,
            "form": ApiKeyForm(user=self.user) if may_make else None,
            "rotation": RotationForm(),
        }
        return self.show("developers", status, **frame | context)


class Developers(_DevelopersPage):
    """My keys; POST makes one, and shows it once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show_keys()

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.user.has_perm("accounts.add_apikey"):
            raise api_keys.NotAllowed()
        form = ApiKeyForm(request.POST, user=self.user)
        if not form.is_valid():
            return self.show_keys(400, form=form)
        data = form.cleaned_data
        days = data.pop("days")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            key, secret = api_keys.create_api_key(
                created_by=self.user, expires_at=expires_at, **data
            )
        except DomainError as error:
            add_problem(form, error)
            return self.show_keys(error.status, form=form)
        return self.show_keys(made=key, secret=secret)


class MyApiKey(_DevelopersPage):
    """Rotate one of my keys, and show its new secret once; `revoke` ends it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        key = self._key(key_id)
        if "revoke" in request.POST:
            api_keys.revoke_api_key(key=key)
            messages.success(request, _("%(key)s is revoked.") % {"key": key})
            return self.go("developers")
        form = RotationForm(request.POST)
        if not form.is_valid():
            return self.show_keys(400, rotation=form)
        secret = api_keys.rotate_api_key(key=key, by=self.user, **form.cleaned_data)
        return self.show_keys(made=key, secret=secret)

    def _key(self, key_id: UUID) -> ApiKey:
        key = api_keys_of(self.user).filter(public_id=key_id).first()
        if key is None:
            raise NotFound()
        return key
