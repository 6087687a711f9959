"""Signing in by the account one has elsewhere: there, back, and what is still asked for then."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts.models import IdentityProvider, SocialAccount
from apps.accounts.services import social
from apps.accounts.services.challenges import ChallengeOver
from apps.accounts.services.second_factor import SecondFactorRequired
from apps.accounts.services.ways_in import remove_way_in
from apps.core.errors import DomainError
from apps.shop.pages.account import MyPage, Welcome
from apps.shop.pages.base import Page
from apps.shop.pages.forms import CodeForm, ForgottenForm, PasswordForm, add_problem

# In the session: what its browser set out with, and what it came back with.
_DEPARTURE, _ARRIVAL = "social_departure", "social_arrival"
_ASKED = {"email": ForgottenForm, "password": PasswordForm, "code": CodeForm}
_MORE = (social.EmailRequired, social.PasswordRequired, SecondFactorRequired)


def _provider(slug: str) -> IdentityProvider:
    return get_object_or_404(IdentityProvider, slug=slug, is_active=True)


class Depart(Page):
    """A link, not a form: our policy lets no form lead elsewhere."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        user = request.user if request.user.is_authenticated else None
        departure = social.depart(provider=_provider(slug), user=user)
        request.session[_DEPARTURE] = {"state": departure.state, "next": self.target("account")}
        return redirect(departure.authorization_url)


class _Entering(Welcome):
    wanted = ""

    def target(self, name: str) -> str:
        return self.wanted or super().target(name)

    def enter(self, arrival: dict[str, Any], **told: str) -> HttpResponse:
        """Signed in, or asked for what is missing."""
        request = self.request
        try:
            user = social.enter(ticket=arrival["ticket"], language=get_language() or "", **told)
        except _MORE as error:
            asked = [name for name in arrival["asked"] if name != error.field]
            request.session[_ARRIVAL] = {**arrival, "asked": [*asked, error.field]}
            messages.info(request, str(error))
            return redirect("shop:social-enter")
        request.session.pop(_ARRIVAL, None)
        self.wanted = arrival["next"]
        return self.let_in(user)


class Return(_Entering):
    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        provider, departure = _provider(slug), request.session.pop(_DEPARTURE, None)
        state, code = request.GET.get("state", ""), request.GET.get("code", "")
        # Else somebody could have another's browser come back with their own answer.
        if departure is None or not constant_time_compare(state, departure["state"]):
            raise ChallengeOver()
        if not code:
            messages.info(request, _("You weren't signed in there."))
            return redirect("shop:sign-in")
        if request.user.is_authenticated:
            social.link(provider=provider, code=code, state=state, user=request.user)
            messages.success(request, _("It signs you in from now on."))
            return redirect("shop:passkeys")
        ticket = social.arrive(provider=provider, code=code, state=state, store=self.store.code)
        return self.enter({"ticket": ticket, "asked": [], "next": departure["next"]})


class Enter(_Entering):
    """An address that we weren't told, the password of the account there is, its second factor."""

    def get(self, request: HttpRequest) -> HttpResponse:
        arrival = self._arrival
        return self._show(self._form(arrival)) if arrival else redirect("shop:sign-in")

    def post(self, request: HttpRequest) -> HttpResponse:
        arrival = self._arrival
        if not arrival:
            return redirect("shop:sign-in")
        form = self._form(arrival, request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            return self.enter(arrival, **form.cleaned_data)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)

    @property
    def _arrival(self) -> dict[str, Any] | None:
        return self.request.session.get(_ARRIVAL)

    def _form(self, arrival: dict[str, Any], data: Any = None) -> Form:
        form = Form(data)
        for name in arrival["asked"]:
            form.fields[name] = _ASKED[name].base_fields[name]
        return form

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        return self.show("mailed_link", status, form=form, title=_("Sign in"))


class Unlink(MyPage):
    back = "passkeys"

    def post(self, request: HttpRequest, account_id: str) -> HttpResponse:
        remove_way_in(way=get_object_or_404(SocialAccount, user=request.user, public_id=account_id))
        messages.success(request, _("It doesn't sign you in any more."))
        return redirect("shop:passkeys")
