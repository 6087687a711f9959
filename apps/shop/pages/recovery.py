"""By the links of mails: back in without the password, an account's address proved or changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.services import email_change, recovery
from apps.core.errors import DomainError
from apps.shop.pages.account import MyPage
from apps.shop.pages.base import Page
from apps.shop.pages.forms import EmailChangeForm, ForgottenForm, NewPasswordForm, add_problem


class Forgotten(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(ForgottenForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ForgottenForm(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            recovery.ask_password_reset(email=form.cleaned_data["email"], store=self.store.code)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(
            request, _("If there is an account with this address, we have sent you a message.")
        )
        return redirect("shop:sign-in")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("forgotten", status, form=form)


class LinkPage(Page):
    """The token is in the address: no other site is told it, and none finds the page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "no-referrer"
        return response


class NewPassword(LinkPage):
    def get(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        return self._show(NewPasswordForm())

    def post(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        form = NewPasswordForm(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        password = form.cleaned_data["password"]
        try:
            recovery.reset_password(uid=uid, token=token, password=password)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(request, _("Your password is set: sign in with it."))
        return redirect("shop:sign-in")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("mailed_link", status, form=form, title=gettext_lazy("Set a new password"))


class VerifyEmail(LinkPage):
    """A button does it, for programs that open every link."""

    def get(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        return self._show(Form())

    def post(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        try:
            recovery.verify_email(uid=uid, token=token)
        except DomainError as error:
            form = Form({})
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(request, _("Your address is confirmed."))
        return redirect("shop:account")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        title = gettext_lazy("Confirm the address")
        return self.show("mailed_link", status, form=form, title=title)


class ChangeEmail(MyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(EmailChangeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = EmailChangeForm(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        user, store = request.user, self.store.code
        try:
            email_change.ask_email_change(user=user, store=store, **form.cleaned_data)  # type: ignore[arg-type]
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(
            request, _("We have sent a message to the new address: please open its link.")
        )
        return redirect("shop:account")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("email_change", status, form=form)


class ConfirmEmail(LinkPage):
    """A button does it, for programs that open every link."""

    def get(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        return self._show(Form())

    def post(self, request: HttpRequest, uid: UUID, token: str) -> HttpResponse:
        try:
            email_change.change_email(uid=uid, token=token)
        except DomainError as error:
            form = Form({})
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(request, _("Your address is changed: sign in with it."))
        return redirect("shop:sign-in")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        title = gettext_lazy("Change the address")
        return self.show("mailed_link", status, form=form, title=title)


class ResendVerification(MyPage):
    back = "account"

    def post(self, request: HttpRequest) -> HttpResponse:
        recovery.ask_verification(user=request.user, store=self.store.code)  # type: ignore[arg-type]
        messages.success(request, _("We have sent you a message: please open its link."))
        return redirect("shop:account")
