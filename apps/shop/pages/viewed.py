"""What a visitor looked at last, shown on their own pages.

A customer's is kept by `wishlists`; a guest's in a signed cookie that holds nothing but slugs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.shop.pages.base import COOKIE, Page
from apps.wishlists.selectors.wishes import Window, listed_by_slug, recently_viewed
from apps.wishlists.services.viewing import note_viewed

SEEN, LASTS = "seen", timedelta(days=30)
SHOWN, KEPT, LONGEST = 4, 8, 1500
# Slugs are letters, digits, hyphens and underscores.
_BETWEEN = "."


def window_of(page: Page) -> Window:
    return Window(page.store, page.currency, timezone.now(), page.group_id)


def seen_slugs(request: HttpRequest) -> list[str]:
    """What a guest's browser remembers, the last one first."""
    kept = request.get_signed_cookie(SEEN, "", salt=SEEN)
    return [slug for slug in kept.split(_BETWEEN) if slug]


def last_viewed(page: Page, *, but: str = "") -> list[Any]:
    """The list items of what the visitor looked at last, without the product of one slug."""
    window, request = window_of(page), page.request
    if request.user.is_authenticated:
        customer = getattr(request.user, "customer", None)
        found = recently_viewed(customer, window, limit=SHOWN + 1)
    else:
        found = listed_by_slug([slug for slug in seen_slugs(request) if slug != but], window)
    return [item for item in found if item["slug"] != but][:SHOWN]


def remember_viewed(page: Page, response: HttpResponse, slug: str) -> None:
    """The visitor looks at a product."""
    if page.request.user.is_authenticated:
        # Looking makes nobody a customer: staff aren't, before they shop.
        if customer := getattr(page.request.user, "customer", None):
            note_viewed(customer=customer, store=page.store, slugs=[slug])
        return
    before = seen_slugs(page.request)
    slugs = list(dict.fromkeys([slug, *before]))[:KEPT]
    while len(_BETWEEN.join(slugs)) > LONGEST:
        slugs.pop()
    if slugs != before:
        response.set_signed_cookie(SEEN, _BETWEEN.join(slugs), salt=SEEN, max_age=LASTS, **COOKIE)
