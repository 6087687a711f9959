"""Wishes of two customers who become one."""

from __future__ import annotations

from apps.customers.models import Customer
from apps.customers.services.merging import move_new, moves
from apps.wishlists.models import RecentView, Wishlist


@moves(Wishlist)
def move_wishlists(kept: Customer, merged: Customer) -> None:
    """Lists of one name become one; what both hold is in it once."""
    lists = {row.name: row for row in kept.wishlists.all()}
    for row in merged.wishlists.all():
        own = lists.get(row.name)
        if own is None:
            Wishlist.objects.filter(pk=row.pk).update(customer=kept)
            continue
        have = set(own.items.values_list("product_id", "variant_id"))
        wishes = row.items.values_list("pk", "product_id", "variant_id")
        new = [pk for pk, *thing in wishes if tuple(thing) not in have]
        row.items.filter(pk__in=new).update(wishlist=own)
        row.delete()


@moves(RecentView)
def move_views(kept: Customer, merged: Customer) -> None:
    rows, held = (RecentView.objects.filter(customer=one) for one in (merged, kept))
    move_new(rows, held, "store_id", "product_id", customer=kept)
