"""The cards that a payment provider keeps for a shopper."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import NotFound
from apps.payments.selectors import saved_methods_of
from apps.payments.services import remove_method, set_default_method
from apps.shop.pages.account import PER_PAGE, MyPage


class MyCards(MyPage):
    by_staff = frozenset()

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = saved_methods_of(self.customer)
        page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
        return self.show("my_cards", page=page)


class MyCard(MyPage):
    """Make one of my cards the default; `remove` removes it."""

    http_method_names = ["post"]
    back = "my-cards"

    def post(self, request: HttpRequest, method_id: UUID) -> HttpResponse:
        mine = saved_methods_of(self.customer).select_related("account")
        method = mine.filter(public_id=method_id).first()
        if method is None:
            raise NotFound()
        if "remove" in request.POST:
            remove_method(method=method)
            messages.success(request, _("%(card)s is removed.") % {"card": method})
        else:
            set_default_method(method=method, is_default=True)
        return self.go("my-cards")
