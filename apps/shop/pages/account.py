"""Signing in and out, registering, my orders."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import IdentityProvider, User
from apps.accounts.services.sign_in import InvalidCredentials
from apps.accounts.services.tokens import end_everything
from apps.checkout import services
from apps.checkout.selectors import open_cart_of
from apps.core.errors import DomainError
from apps.core.impersonation import end
from apps.core.middleware import SECOND_FACTOR
from apps.customers.services.registration import get_or_create_for_user, open_account
from apps.orders.models import Order
from apps.shop.pages.base import CART, WRITE, Page
from apps.shop.pages.forms import RegisterForm, SignInForm, add_problem
from apps.shop.pages.viewed import SEEN, seen_slugs
from apps.shop.pages.wishes import SESSION as WISHES
from apps.shop.pages.wishes import guest_wishes
from apps.wishlists.services.guests import adopt_guest

PER_PAGE = 20
BACKEND = "apps.accounts.services.sign_in.LimitedBackend"


class Welcome(Page):
    """A form that ends in being signed in, with the cart at hand and the one that waited."""

    def let_in(self, user: User) -> HttpResponse:
        """Sign somebody in who has proved everything."""
        login(self.request, user, backend=BACKEND)
        # Of who was half signed in already, login() keeps the key.
        self.request.session.cycle_key()
        self.request.session[SECOND_FACTOR] = True
        self.request.user = user
        return self.welcome(user)

    def welcome(self, user: User) -> HttpResponse:
        request = self.request
        guests = self.open_cart if self.open_cart and not self.open_cart.customer_id else None
        wishes, viewed = guest_wishes(request), seen_slugs(request)
        customer = get_or_create_for_user(user=user)
        adopt_guest(customer=customer, store=self.store, wishes=wishes, viewed=viewed)
        request.session.pop(WISHES, None)
        if guests:
            services.claim_cart(cart=guests, customer=customer)
        self.cart = guests or open_cart_of(customer, self.store)
        response = self.return_to("account")
        response.delete_cookie(SEEN)
        return response


class _Entrance(Welcome):
    form: type[Form]
    title: Any
    # The page for those who are here by mistake, and what its link says.
    other: str
    other_title: Any

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("shop:account")
        return self._show(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            user = self.enter(form.cleaned_data)
        except DomainError as error:
            add_problem(form, error)
            return self._show(form, error.status)
        login(request, user, backend=BACKEND)
        if user.has_second_factor:
            query = urlencode({"next": request.POST.get("next", "")})
            return redirect(f"{reverse('shop:code')}?{query}")
        return self.welcome(user)

    def enter(self, data: dict[str, Any]) -> User:
        raise NotImplementedError

    def _show(self, form: Form, status: int = 200) -> HttpResponse:
        wanted = self.request.POST.get("next") or self.request.GET.get("next", "")
        return self.show(
            "entrance",
            status,
            form=form,
            next=wanted,
            title=self.title,
            other=self.other,
            other_title=self.other_title,
            providers=IdentityProvider.objects.filter(is_active=True),
        )


class SignIn(_Entrance):
    form, title = SignInForm, _("Sign in")
    other, other_title = "shop:register", _("Make an account")

    def enter(self, data: dict[str, Any]) -> User:
        user = authenticate(self.request, username=data["email"], password=data["password"])
        if user is None:
            raise InvalidCredentials()
        return user


class Register(_Entrance):
    form, title = RegisterForm, _("Make an account")
    other, other_title = "shop:sign-in", _("I have an account: sign in")

    def enter(self, data: dict[str, Any]) -> User:
        return open_account(store=self.store, language=get_language() or "", **data)


class SignOut(Page):
    def post(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        response = redirect("shop:home")
        response.delete_cookie(CART)
        response.delete_cookie(SEEN)
        return response


class SignOutEverywhere(SignOut):
    def post(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User):
            end_everything(user=request.user)
        return super().post(request)


class EndImpersonation(Page):
    """Staff who were signed in as a customer are themselves again, in the back office."""

    http_method_names = ["post"]
    by_staff = WRITE

    def post(self, request: HttpRequest) -> HttpResponse:
        return redirect(end(request))


class MyPage(Page):
    """Who isn't signed in is asked to."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('shop:sign-in')}?{query}")
        return super().dispatch(request, *args, **kwargs)


class Account(MyPage):
    """My orders."""

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = Order.objects.for_customer(self.customer.pk if self.customer else None)
        page = Paginator(mine.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
        return self.show("account", page=page)
