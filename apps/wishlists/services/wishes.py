"""Writes on wishlists."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart
from apps.checkout.selectors import open_cart_of
from apps.checkout.services import add_line, create_cart
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.locks import locked
from apps.customers.models import Customer
from apps.products.models import Product, Variant
from apps.stores.models import Store
from apps.wishlists.models import Wishlist, WishlistItem
from apps.wishlists.selectors.wishes import for_sale

MAX_LISTS, MAX_ITEMS = 20, 200


class TooManyWishlists(DomainError):
    code = "too_many_wishlists"
    message = _("There are at most %d wishlists.") % MAX_LISTS


class WishlistFull(DomainError):
    code = "wishlist_full"
    message = _("A wishlist holds at most %d items.") % MAX_ITEMS


class WishlistNameTaken(Conflict):
    code = "wishlist_name_taken"
    message = _("You have a wishlist of this name.")


class ChooseVariant(DomainError):
    code = "choose_variant"
    message = _("Choose which one.")


@transaction.atomic
def create_wishlist(*, customer: Customer, name: str) -> Wishlist:
    """A new list. Raises TooManyWishlists, WishlistNameTaken."""
    locked(Customer.objects.filter(pk=customer.pk)).get()
    if customer.wishlists.count() >= MAX_LISTS:
        raise TooManyWishlists()
    return _named(Wishlist(customer=customer), name)


@transaction.atomic
def update_wishlist(
    *, wishlist: Wishlist, name: str | None = None, is_shared: bool | None = None
) -> Wishlist:
    """Rename it; share it under a new token, or with nobody. Raises WishlistNameTaken."""
    if is_shared is not None and is_shared != wishlist.is_shared:
        wishlist.token = secrets.token_urlsafe(32) if is_shared else None
    return _named(wishlist, name or wishlist.name)


def _named(wishlist: Wishlist, name: str) -> Wishlist:
    wishlist.name = name
    try:
        with transaction.atomic():
            wishlist.save()
    except IntegrityError as error:
        raise WishlistNameTaken(field="name") from error
    return wishlist


@transaction.atomic
def delete_wishlist(*, wishlist: Wishlist) -> None:
    """Delete a list with what is on it."""
    wishlist.delete()


@transaction.atomic
def default_wishlist(*, customer: Customer) -> Wishlist:
    """The customer's oldest list, made if there is none."""
    locked(Customer.objects.filter(pk=customer.pk)).get()
    oldest = customer.wishlists.order_by("pk").first()
    return oldest or Wishlist.objects.create(customer=customer, name=_now("Wishlist"))


@transaction.atomic
def add_item(
    *, wishlist: Wishlist, store: Store, slug: str = "", sku: str = "", note: str = ""
) -> WishlistItem:
    """Wish for a variant (`sku`) or a product (`slug`); what is on the list already stays so.

    Raises NotFound for what the store doesn't sell, WishlistFull.
    """
    group_id = wishlist.customer.group_id
    wanted = for_sale(store=store, at=timezone.now(), group_id=group_id, slug=slug, sku=sku)
    key: dict[str, Product | Variant] = {
        "variant" if isinstance(wanted, Variant) else "product": wanted
    }
    # Two at once must not both be the last one that fits; and the list may just be deleted.
    if locked(Wishlist.objects.filter(pk=wishlist.pk)).first() is None:
        raise NotFound()
    known = wishlist.items.filter(**key).first()
    if known is not None:
        return known
    if wishlist.items.count() >= MAX_ITEMS:
        raise WishlistFull()
    return WishlistItem.objects.create(wishlist=wishlist, note=note, **key)


@transaction.atomic
def change_item(*, item: WishlistItem, note: str) -> WishlistItem:
    item.note = note
    item.save(update_fields=["note", "updated_at"])
    return item


@transaction.atomic
def remove_item(*, item: WishlistItem) -> None:
    item.delete()


@transaction.atomic
def move_to_cart(
    *, item: WishlistItem, store: Store, currency: str, cart: Cart | None = None, sku: str = ""
) -> Cart:
    """Put the least quantity into `cart`, and take the wish off its list.

    Without a cart it is the open one of the list's customer, or a new one in `currency`. A whole
    product needs the `sku` of the one that is meant, if there are several. Raises ChooseVariant,
    and what the cart refuses: CartClosed, CartFull, UnknownSKU.
    """
    variant = item.variant or _chosen(item.whole, sku)
    customer = item.wishlist.customer
    cart = cart or open_cart_of(customer, store)
    cart = cart or create_cart(store=store, currency=currency, customer=customer)
    # Of two clicks one finds nothing to move.
    if not WishlistItem.objects.filter(pk=item.pk).delete()[0]:
        raise NotFound()
    add_line(cart=cart, sku=variant.sku, quantity=variant.min_quantity)
    return cart


def _chosen(product: Product, sku: str) -> Variant:
    variants = list(product.variants.filter(is_active=True))
    meant = [variant for variant in variants if variant.sku == sku] if sku else variants
    if len(meant) != 1:
        raise ChooseVariant(field="sku")
    return meant[0]


@transaction.atomic
def adopt_wishes(*, customer: Customer, store: Store, wishes: Sequence[tuple[str, str]]) -> None:
    """A guest signed in: what they wished for, (slug, "") or ("", SKU), joins their first list.

    What is no longer sold, or no longer fits, is left out.
    """
    if not wishes:
        return
    wishlist = default_wishlist(customer=customer)
    for slug, sku in wishes:
        try:
            add_item(wishlist=wishlist, store=store, slug=slug, sku=sku)
        except NotFound:
            continue
        except WishlistFull:
            return
