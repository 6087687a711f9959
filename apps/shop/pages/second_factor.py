"""The second factor: its code at signing in, and setting it up. For shoppers and staff alike."""

from __future__ import annotations

from functools import partial
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import second_factor
from apps.core.errors import DomainError
from apps.core.middleware import SECOND_FACTOR
from apps.shop.pages.account import MyPage, Welcome
from apps.shop.pages.forms import CodeForm, PasswordForm, SwitchOffForm, add_problem


class CodePage(Welcome):
    """Behind the password: until the code is right, nobody is signed in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return self.return_to("account")
        if self._pending is None:
            return redirect("shop:sign-in")
        return self._show(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        user = self._pending
        if user is None:
            return redirect("shop:sign-in")
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            second_factor.prove(user=user, code=form.cleaned_data["code"])
        except DomainError as error:
            form.add_error("code", str(error))
            return self._show(form, error.status)
        return self.let_in(user)

    @property
    def _pending(self) -> User | None:
        # Known once somebody has asked who it is.
        signed_in = self.request.user.is_authenticated
        return None if signed_in else self.request.pending_user  # type: ignore[attr-defined]

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("code", status, form=form, next=self.target("account"))


class SecondFactorPage(MyPage):
    """Switching it on (password, then a first code), new backup codes, switching it off."""

    by_staff = frozenset()

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        again = partial(PasswordForm, user=request.user)
        acts = {
            "begin": (again, self._begin),
            "confirm": (CodeForm, self._confirm),
            "passkeys": (again, self._rely_on_passkeys),
            "renew": (CodeForm, self._renew),
            "off": (partial(SwitchOffForm, user=request.user), self._off),
        }
        make, act = acts.get(request.POST.get("act", ""), acts["begin"])
        form = make(request.POST)
        if not form.is_valid():
            return self._show(400, form=form)
        try:
            return act(form.cleaned_data)
        except DomainError as error:
            add_problem(form, error)
            return self._show(error.status, form=form)

    def _begin(self, data: dict[str, Any]) -> HttpResponse:
        setup = second_factor.begin(user=self._user, **data)
        qr = segno.make(setup.uri).svg_data_uri(scale=5, border=2)
        return self._show(setup=setup, qr=qr, form=CodeForm())

    def _confirm(self, data: dict[str, Any]) -> HttpResponse:
        return self._switched_on(second_factor.confirm(user=self._user, **data))

    def _rely_on_passkeys(self, data: dict[str, Any]) -> HttpResponse:
        return self._switched_on(second_factor.rely_on_passkeys(user=self._user, **data))

    def _switched_on(self, codes: list[str]) -> HttpResponse:
        # Every other session has ended.
        self.request.session[SECOND_FACTOR] = True
        update_session_auth_hash(self.request, self._user)
        return self._show(codes=codes)

    def _renew(self, data: dict[str, Any]) -> HttpResponse:
        return self._show(codes=second_factor.renew_backup_codes(user=self._user, **data))

    def _off(self, data: dict[str, Any]) -> HttpResponse:
        second_factor.switch_off(user=self._user, **data)
        self.request.session.pop(SECOND_FACTOR, None)
        update_session_auth_hash(self.request, self._user)
        messages.success(self.request, _("The second factor is off."))
        return redirect("shop:second-factor")

    @property
    def _user(self) -> User:
        return self.request.user  # type: ignore[return-value]

    def _show(self, status: int = 200, **context: Any) -> HttpResponse:
        user = self._user
        form = SwitchOffForm if user.has_second_factor else PasswordForm
        return self.show(
            "second_factor",
            status,
            **{"form": form(user=user), **context},
            is_on=user.has_second_factor,
            is_required=user.needs_second_factor,
            left=second_factor.backup_codes_left(user),
            next=self.target("account"),
        )
