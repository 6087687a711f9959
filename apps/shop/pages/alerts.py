"""Tell me when it is back, or cheaper: asked on a product's page, confirmed by a mail's link."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.errors import DomainError
from apps.core.money import MoneyError, to_minor
from apps.shop.pages.base import Page
from apps.shop.pages.forms import AlertForm
from apps.wishlists.selectors.alerts import alert_of
from apps.wishlists.services import alerts


class IncompleteAlert(DomainError):
    code = "incomplete_alert"
    message = gettext_lazy("Give us your e-mail address, and a price as 12.50 if you want.")


class AskAlert(Page):
    """Refused or not, it goes back to the product."""

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AlertForm(request.POST, needs_email=self.customer is None)
        if not form.is_valid():
            raise IncompleteAlert()
        data, language = form.cleaned_data, get_language() or ""
        wish = alerts.Wish(
            store=self.store,
            currency=self.currency,
            kind=data["kind"],
            sku=data["sku"],
            target=self._target(data["target"]),
        )
        if self.customer:
            alerts.ask(wish=wish, customer=self.customer, language=language)
            messages.success(request, _("We will tell you."))
        else:
            alerts.ask_as_guest(wish=wish, email=data["email"], language=language)
            messages.success(request, _("Please confirm it: we have sent you a message."))
        return self.return_to("home")

    def _target(self, typed: str) -> int | None:
        if not typed:
            return None
        try:
            return to_minor(typed.replace(",", "."), self.currency)
        except MoneyError as error:
            raise IncompleteAlert() from error


class AlertPage(Page):
    """The link of a mail shows it; a button does it, for programs that open every link."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        response = self.show("alert", alert=alert_of(token))
        response["X-Robots-Tag"] = "noindex"
        # The token is in the address: no other site is told it.
        response["Referrer-Policy"] = "no-referrer"
        return response

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if "give_up" in request.POST:
            alerts.give_up_alert(alert=alert_of(token))
            messages.success(request, _("We won't tell you."))
            return self.return_to("home")
        alerts.confirm_alert(token=token)
        messages.success(request, _("We will tell you."))
        return redirect("shop:alert", token)
