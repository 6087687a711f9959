"""Named filters of listings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from apps.products.models import Publication


def visible(
    *, store_id: int, currency: str, at: datetime, group_id: int | None = None, through: str = ""
) -> Q:
    """What shoppers of a store see at a moment, priced in a currency; with what only those of
    a group see.

    `through` leads to the listing: `related__listings__`.
    """
    audience = Q(**{f"{through}members_only": False})
    if group_id is not None:
        theirs = Publication.objects.filter(store=store_id, groups=group_id)
        audience |= Q(**{f"{through}product__in": theirs.values("product")})
    return Q(
        audience,
        Q(**{f"{through}starts_at__isnull": True}) | Q(**{f"{through}starts_at__lte": at}),
        Q(**{f"{through}ends_at__isnull": True}) | Q(**{f"{through}ends_at__gt": at}),
        **{f"{through}store": store_id, f"{through}currency": currency},
    )


def audience(group_id: int | None) -> dict[str, int]:
    """`group_id` for a prepared statement: what everybody sees is one of its own."""
    return {} if group_id is None else {"group_id": group_id}


class ListingQuerySet(models.QuerySet[Any]):
    def visible(self, **asked: Any) -> ListingQuerySet:
        """Those that `visible()` means."""
        return self.filter(visible(**asked))
