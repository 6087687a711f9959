"""My ways to sign in, and signing in by a passkey: that needs a script, to ask the device."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from apps.accounts.models import IdentityProvider, Passkey, SocialAccount
from apps.accounts.services import passkeys
from apps.accounts.services.ways_in import remove_way_in
from apps.core.errors import DomainError
from apps.shop.pages.account import MyPage, Welcome
from apps.shop.pages.base import Page
from apps.shop.pages.forms import CredentialForm, PasskeyForm, add_problem


class _Options(Page):
    """What the script asks for before it asks the device."""

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(self.begin())
        except DomainError as error:
            return JsonResponse({"detail": str(error)}, status=error.status)

    def begin(self) -> dict[str, Any]:
        raise NotImplementedError


class SignInOptions(_Options):
    def begin(self) -> dict[str, Any]:
        return passkeys.begin_sign_in()


class AddOptions(_Options, MyPage):
    def begin(self) -> dict[str, Any]:
        password = self.request.POST.get("password", "")
        return passkeys.begin_adding(user=self.request.user, password=password)  # type: ignore[arg-type]


class PasskeySignIn(Welcome):
    back = "sign-in"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CredentialForm(request.POST)
        if not form.is_valid():
            raise passkeys.PasskeyRefused()
        user = passkeys.check_passkey(**form.cleaned_data)
        return self.let_in(user)


class Passkeys(MyPage):
    back = "passkeys"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(PasskeyForm(user=request.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasskeyForm(request.POST, user=request.user)
        if not form.is_valid():
            return self._show(form, 400)
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        try:
            passkeys.add_passkey(user=request.user, name=name, credential=credential)  # type: ignore[arg-type]
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(request, _("The passkey signs you in from now on."))
        return redirect("shop:passkeys")

    def _show(self, form: PasskeyForm, status: int = 200) -> HttpResponse:
        mine = self.request.user.pk
        return self.show(
            "passkeys",
            status,
            form=form,
            passkeys=Passkey.objects.filter(user_id=mine).order_by("-pk"),
            accounts=SocialAccount.objects.filter(user_id=mine).select_related("provider"),
            providers=IdentityProvider.objects.filter(is_active=True).exclude(
                accounts__user_id=mine
            ),
        )


class RemovePasskey(MyPage):
    back = "passkeys"

    def post(self, request: HttpRequest, passkey_id: str) -> HttpResponse:
        remove_way_in(way=get_object_or_404(Passkey, user=request.user, public_id=passkey_id))
        messages.success(request, _("The passkey is removed."))
        return redirect("shop:passkeys")
