"""One's data: a copy, and being forgotten; for who has an account, and by a mailed link."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from apps.core.errors import DomainError
from apps.core.files import private_file
from apps.customers.services import consents, erasing, exporting, people
from apps.shop.pages.account import MyPage
from apps.shop.pages.base import Page
from apps.shop.pages.forms import EraseForm, PrivacyForm, add_problem
from apps.shop.pages.recovery import LinkPage

_TITLES = {
    "export": gettext_lazy("Send me a copy of my data"),
    "erase": gettext_lazy("Erase my data"),
}


class Privacy(Page):
    """For everybody: what there is to ask for. Who isn't signed in gets a link by mail."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(PrivacyForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PrivacyForm(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            people.ask_by_mail(store=self.store.code, **form.cleaned_data)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        messages.success(
            request, _("If we know anything of this address, we have sent you a message.")
        )
        return redirect("shop:privacy")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("privacy", status, form=form, customer=self.customer)


class MyCopy(MyPage):
    """A button of the page above."""

    back = "privacy"

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.customer:
            exporting.request_export(customer=self.customer)
        messages.success(request, _("We are preparing it; a message with the link follows."))
        return redirect("shop:privacy")


class EraseMe(MyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(EraseForm(user=request.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = EraseForm(request.POST, user=request.user)
        if not form.is_valid() or self.customer is None:
            return self._show(form, 400)
        try:
            erasing.erase_me(customer=self.customer, **form.cleaned_data)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        logout(request)
        messages.success(request, _("Your account is closed, and your data are being erased."))
        return redirect("shop:home")

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("erase", status, form=form)


class ConsentPage(Page):
    """Cookies: the banner's buttons, and the page to change one's mind."""

    back = "consent"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("consent", asked=True)

    def post(self, request: HttpRequest) -> HttpResponse:
        act, ticked = request.POST.get("act"), request.POST.getlist("allow")
        _choice, cookie = consents.choose(
            before=self.consent,
            statistics=act == "accept" or (act == "choose" and "statistics" in ticked),
            marketing=act == "accept" or (act == "choose" and "marketing" in ticked),
            customer=self.customer,
            page=request.POST.get("next", ""),
        )
        messages.success(request, _("Your choice is noted; you can change it at any time."))
        response = self.return_to("consent")
        response.set_cookie(consents.COOKIE, cookie, **consents.COOKIE_TERMS)
        return response


class Marketing(MyPage):
    """The button by which a customer wants offers by mail, or no more."""

    back = "privacy"

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.customer:
            given = request.POST.get("act") == "subscribe"
            consents.set_marketing(customer=self.customer, given=given, page="account")
        messages.success(request, _("Your choice is noted; you can change it at any time."))
        return redirect("shop:privacy")


@method_decorator(csrf_exempt, name="dispatch")
class Unsubscribe(LinkPage):
    """The link of a mail, and the one click of mail programs: a POST without cookies (RFC 8058)."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        consents.subscriber(token)
        return self.show("mailed_link", form=Form(), title=gettext_lazy("No more offers by mail"))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        consents.unsubscribe(token=token)
        messages.success(request, _("You get no more offers by mail."))
        return redirect("shop:home")


class WishPage(LinkPage):
    """A button does it, for programs that open every link."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        _email, wish = people.read_wish(token)
        return self.show("mailed_link", form=Form(), title=_TITLES[wish])

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        email, wish = people.read_wish(token)
        if wish == "erase":
            erasing.request_erasure_at(email=email)
            messages.success(request, _("What we know of you is being erased."))
        else:
            exporting.request_export_at(email=email, language=request.LANGUAGE_CODE)
            messages.success(request, _("We are preparing it; a message with the link follows."))
        return redirect("shop:privacy")


class CopyFile(LinkPage):
    def get(self, request: HttpRequest, token: str) -> Any:
        run = exporting.export_by(token)
        return private_file(run.file.open("rb"), "my-data.zip", "application/zip")
