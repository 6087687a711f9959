"""Wishlists: a customer's, a guest's in the session, and those that others shared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.errors import NotFound
from apps.products.models import Variant
from apps.shop.pages.base import Page
from apps.shop.pages.forms import WishForm, WishlistForm
from apps.shop.pages.viewed import window_of
from apps.wishlists.models import Wishlist
from apps.wishlists.selectors.alerts import alert_token, alerts_of
from apps.wishlists.selectors.wishes import (
    for_sale,
    item_of,
    items_json,
    items_of,
    shared_wishlist,
    unsaved_items,
    wishlist_of,
    wishlists_of,
)
from apps.wishlists.services import wishes

PER_PAGE, MOST_OF_A_GUEST = 24, 50
SESSION = "wishes"


def guest_wishes(request: HttpRequest) -> list[tuple[str, str]]:
    """What a guest wished for in this session, the last one first: (slug, "") or ("", SKU)."""
    return [(slug, sku) for slug, sku in request.session.get(SESSION, [])]


class WishlistPage(Page):
    """One's own list: a customer's, by default the first; a guest's until the session ends."""

    def get(self, request: HttpRequest, list_id: UUID | None = None) -> HttpResponse:
        if not self.customer:
            if list_id:
                raise NotFound()
            items = unsaved_items(guest_wishes(request))
            return self.show("wishlist", items=items_json(items, window_of(self)))
        lists = list(wishlists_of(self.customer))
        if list_id:
            chosen = next((each for each in lists if each.public_id == list_id), None)
            if chosen is None:
                raise NotFound()
        else:
            chosen = lists[0] if lists else None
        waiting = [(alert, alert_token(alert)) for alert in alerts_of(self.customer)]
        return self.show(
            "wishlist", lists=lists, wishlist=chosen, alerts=waiting, **self._items(chosen)
        )

    def _items(self, wishlist: Wishlist | None) -> dict[str, Any]:
        if wishlist is None:
            return {"items": []}
        found = Paginator(items_of(wishlist).order_by("-pk"), PER_PAGE)
        page = found.get_page(self.request.GET.get("page"))
        shared = reverse("shop:shared-wishlist", args=[wishlist.token]) if wishlist.token else ""
        return {
            "items": items_json(list(page), window_of(self)),
            "page": page,
            "shared_at": self.request.build_absolute_uri(shared) if shared else "",
        }


class AddWish(Page):
    """From a product page: the chosen variant, else the product."""

    back = "wishlist"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = WishForm(request.POST)
        if not form.is_valid():
            raise NotFound()
        wanted = form.cleaned_data
        if self.customer:
            wishlist = wishes.default_wishlist(customer=self.customer)
            wishes.add_item(wishlist=wishlist, store=self.store, **wanted)
        else:
            found = for_sale(store=self.store, at=timezone.now(), group_id=None, **wanted)
            wish = ("", found.sku) if isinstance(found, Variant) else (found.slug, "")
            kept = [wish, *(each for each in guest_wishes(request) if each != wish)]
            request.session[SESSION] = kept[:MOST_OF_A_GUEST]
        messages.success(request, _("It is on your wishlist."))
        return self.return_to("wishlist")


class RemoveWish(Page):
    """A guest's; a customer's has an address of its own."""

    def post(self, request: HttpRequest) -> HttpResponse:
        sku = request.POST.get("sku", "")
        gone = ("", sku) if sku else (request.POST.get("slug", ""), "")
        left = [each for each in guest_wishes(request) if each != gone]
        request.session[SESSION] = left
        return self.go("wishlist")


class _Mine(Page):
    back = "wishlist"

    def mine(self, list_id: UUID) -> Wishlist:
        return wishlist_of(customer=self.customer, wishlist_id=list_id)


class MakeWishlist(_Mine):
    def post(self, request: HttpRequest) -> HttpResponse:
        form = WishlistForm(request.POST)
        if not self.customer or not form.is_valid():
            return self.go("wishlist")
        made = wishes.create_wishlist(customer=self.customer, **form.cleaned_data)
        return redirect("shop:a-wishlist", made.public_id)


class ChangeWishlist(_Mine):
    """Rename, share, no longer share, delete."""

    def post(self, request: HttpRequest, list_id: UUID) -> HttpResponse:
        wishlist, form = self.mine(list_id), WishlistForm(request.POST)
        if "delete" in request.POST:
            wishes.delete_wishlist(wishlist=wishlist)
            return self.go("wishlist")
        if "share" in request.POST:
            wishes.update_wishlist(wishlist=wishlist, is_shared=request.POST["share"] == "yes")
        elif form.is_valid():
            wishes.update_wishlist(wishlist=wishlist, **form.cleaned_data)
        return redirect("shop:a-wishlist", wishlist.public_id)


class ChangeWish(_Mine):
    """Into the cart, or off the list."""

    def post(self, request: HttpRequest, list_id: UUID, item_id: UUID) -> HttpResponse:
        item = item_of(customer=self.customer, wishlist_id=list_id, item_id=item_id)
        if "remove" in request.POST:
            wishes.remove_item(item=item)
            return redirect("shop:a-wishlist", list_id)
        self.cart = wishes.move_to_cart(
            item=item, store=self.store, currency=self.currency, cart=self.open_cart
        )
        messages.success(request, _("It is in your cart."))
        return self.go("cart")


class SharedWishlist(Page):
    """For whoever was given the address; search engines are asked to leave it alone."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        wishlist = shared_wishlist(token)
        page = Paginator(items_of(wishlist).order_by("-pk"), PER_PAGE).get_page(
            request.GET.get("page")
        )
        items = items_json(list(page), window_of(self))
        response = self.show("shared_wishlist", wishlist=wishlist, items=items, page=page)
        response["X-Robots-Tag"] = "noindex"
        # The token is in the address: no other site is told it.
        response["Referrer-Policy"] = "no-referrer"
        return response
