"""The choices that the header offers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from apps.checkout import services
from apps.shop.pages.base import A_YEAR, COOKIE, CURRENCY, WRITE, Page
from apps.stores.selectors import currency_for


class CurrencyChoice(Page):
    by_staff = WRITE

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = currency_for(self.store, request.POST.get("currency"))
        if self.open_cart and self.open_cart.currency != chosen:
            services.change_currency(cart=self.open_cart, currency=chosen)
        response = self.return_to("home")
        response.set_cookie(CURRENCY, chosen, max_age=A_YEAR, **COOKIE)
        return response
