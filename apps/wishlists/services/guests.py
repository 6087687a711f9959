"""What a guest left in the browser becomes the customer's."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from apps.customers.models import Customer
from apps.stores.models import Store
from apps.wishlists.services.viewing import note_viewed
from apps.wishlists.services.wishes import adopt_wishes


@transaction.atomic
def adopt_guest(
    *,
    customer: Customer,
    store: Store,
    wishes: Sequence[tuple[str, str]],
    viewed: Sequence[str],
) -> None:
    """A guest signed in: what they wished for, (slug, "") or ("", SKU), and what they viewed.

    The last one first in both.
    """
    adopt_wishes(customer=customer, store=store, wishes=wishes)
    if viewed:
        note_viewed(customer=customer, store=store, slugs=viewed)
