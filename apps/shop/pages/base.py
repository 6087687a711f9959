"""What every page of the shop has: its store, currency, shopper, cart and frame."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_info
from django.views import View

from apps.accounts.models import User
from apps.checkout.models import Cart
from apps.checkout.selectors import cart_for_shopper, open_cart_of, pieces_in
from apps.checkout.services import create_cart
from apps.core.context import set_actor
from apps.core.errors import DomainError, NotFound
from apps.core.impersonation import NotForStaff
from apps.customers.models import Customer
from apps.customers.selectors import group_id_of
from apps.customers.services.consents import COOKIE as CONSENT
from apps.customers.services.consents import Choice, read_choice
from apps.customers.services.registration import get_or_create_for_user
from apps.storefront.selectors import catalogue
from apps.stores.models import Store
from apps.stores.selectors import current_store, default_store

CART, CURRENCY = "cart", "currency"
CART_LASTS = timedelta(days=30)
A_YEAR = timedelta(days=365)
READ = frozenset({"GET", "HEAD", "OPTIONS"})
WRITE = READ | {"POST"}


class Page(View):
    """A page. A refused POST is told on the page it came from; a refused GET is a page itself."""

    # Where a refused POST goes back to: a name of the shop's addresses.
    back = "home"
    # What staff may who are signed in as the customer: read, unless a page says otherwise.
    by_staff: frozenset[str] = READ

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and self.impersonator is None:
            user = request.user
            set_actor(label=user.label, user_id=user.pk, is_staff=user.is_staff)
        try:
            if self.impersonator and request.method not in self.by_staff:
                raise NotForStaff()
            response = super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            response = self.refuse(error)
        # Whoever is signed in, and with which cart, is in the header of every page.
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def refuse(self, error: DomainError) -> HttpResponse:
        if isinstance(error, NotFound) and (now := self._present_address()):
            return redirect(now, permanent=True)
        if self.request.method != "POST" or isinstance(error, (NotFound, NotForStaff)):
            return self.show("error", status=error.status, problem=error)
        messages.error(self.request, str(error))
        return self.return_to(self.back)

    def present_slug(self, slug: str) -> str | None:
        """The slug that what had this one has now; None if nothing had it."""
        return None

    def _present_address(self) -> str:
        """Where the page of a former slug is now, its query kept; "" if there is none."""
        match, query = self.request.resolver_match, self.request.META.get("QUERY_STRING")
        slug = self.kwargs.get("slug")
        if not slug or not match or not (now := self.present_slug(slug)):
            return ""
        return reverse(match.view_name, args=[now]) + (f"?{query}" if query else "")

    @property
    def impersonator(self) -> Any:
        """The staff who are signed in as the customer, if it isn't the customer."""
        return getattr(self.request, "impersonator", None)

    @cached_property
    def store(self) -> Store:
        """That of the address; who names one that isn't there is told so in the default one."""
        try:
            return current_store(self.request)
        except NotFound:
            return default_store()

    @cached_property
    def currency(self) -> str:
        """The one that the shopper chose, if the store (still) sells in it."""
        chosen = self.request.COOKIES.get(CURRENCY)
        return chosen if chosen in self.store.all_currencies else self.store.default_currency

    @cached_property
    def consent(self) -> Choice:
        return read_choice(self.request.COOKIES.get(CONSENT, ""))

    @cached_property
    def customer(self) -> Customer | None:
        """The signed-in shopper's."""
        user = self.request.user
        return get_or_create_for_user(user=user) if user.is_authenticated else None

    @property
    def group_id(self) -> int | None:
        """The customer group of the visitor; looking makes nobody a customer."""
        return group_id_of(getattr(self.request.user, "customer", None))

    @cached_property
    def cart(self) -> Cart | None:
        """The cart that the cookie names; an ordered one too, so that a double click finds it.

        For staff who are signed in as a customer the one that the customer fills.
        """
        if self.impersonator and self.customer:
            return open_cart_of(self.customer, self.store)
        public_id = self.request.get_signed_cookie(CART, "", salt=CART)
        if not public_id:
            return None
        try:
            return cart_for_shopper(
                cart_id=public_id, customer_id=self.customer.pk if self.customer else None
            )
        except NotFound:
            return None

    @property
    def open_cart(self) -> Cart | None:
        return self.cart if self.cart and self.cart.status == Cart.Status.OPEN else None

    def need_cart(self) -> Cart:
        """The open cart; a new one if there is none."""
        if self.open_cart is None:
            self.cart = create_cart(
                store=self.store, currency=self.currency, customer=self.customer
            )
        return self.cart

    def show(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        frame = {
            "store": self.store,
            "currency": self.currency,
            "languages": [get_language_info(code) for code, _name in settings.LANGUAGES],
            "menu": catalogue.tree(),
            "cart_pieces": pieces_in(self.open_cart) if self.open_cart else 0,
            "here": self.request.get_full_path(),
            # What a shop's own scripts may do: `consent.statistics`, `consent.marketing`.
            "consent": self.consent,
        }
        return render(self.request, f"shop/{template}.html", frame | context, status=status)

    def go(self, name: str, *args: Any) -> HttpResponse:
        return self.with_cart(redirect(f"shop:{name}", *args))

    def return_to(self, name: str) -> HttpResponse:
        """Where the form's `next` says, if that is here; else the page of that name."""
        return self.with_cart(redirect(self.target(name)))

    def target(self, name: str) -> str:
        wanted = self.request.POST.get("next") or self.request.GET.get("next", "")
        if url_has_allowed_host_and_scheme(wanted, {self.request.get_host()}):
            return wanted
        return reverse(f"shop:{name}")

    def with_cart(self, response: HttpResponse) -> HttpResponse:
        """The cookie names the cart at hand."""
        if self.cart and not self.impersonator:
            response.set_signed_cookie(
                CART, self.cart.public_id, salt=CART, max_age=CART_LASTS, **COOKIE
            )
        return response


COOKIE: dict[str, Any] = {
    "httponly": True,
    "samesite": "Lax",
    "secure": settings.SESSION_COOKIE_SECURE,
}
