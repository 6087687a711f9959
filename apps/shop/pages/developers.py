"""For who writes software against the shop: the documentation, one's own API keys and webhooks, and
how both were used."""

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
from apps.webhooks import services as webhooks
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.selectors import endpoints_of, log_of


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
            "endpoints": endpoints_of(self.user),
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


class MyWebhook(_DevelopersPage):
    """What one of my endpoints was told. POST sends a test event, or tells something once more."""

    def get(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        endpoint = self._endpoint(endpoint_id)
        page = Paginator(log_of(endpoint), PER_PAGE).get_page(request.GET.get("page"))
        may_change = self.user.has_perm("webhooks.change_webhookendpoint")
        return self.show("webhook", endpoint=endpoint, page=page, may_change=may_change)

    def post(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        endpoint = self._endpoint(endpoint_id)
        if not self.user.has_perm("webhooks.change_webhookendpoint"):
            raise api_keys.NotAllowed()
        if "test" in request.POST:
            webhooks.send_test(endpoint=endpoint)
        else:
            wanted = _uuid(request.POST.get("replay", ""))
            deliveries = log_of(endpoint).filter(public_id=wanted)
            webhooks.replay(endpoint=endpoint, deliveries=deliveries.order_by())
        messages.success(request, _("It is on its way."))
        return self.go("webhook", endpoint.public_id)

    def _endpoint(self, public_id: UUID) -> WebhookEndpoint:
        found = endpoints_of(self.user).filter(public_id=public_id).first()
        if found is None:
            raise NotFound()
        return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound() from error
