"""What there is to buy: home, lists, search."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from apps.shop.pages.base import Page
from apps.shop.pages.facets import facet_groups, ordering_links, with_cursor
from apps.shop.pages.ranges import folded, range_form
from apps.shop.pages.seo import home_head, list_head
from apps.shop.pages.viewed import last_viewed
from apps.storefront.selectors import catalogue, suggest
from apps.storefront.selectors.facets import facets
from apps.storefront.selectors.filters import Wanted
from apps.storefront.selectors.moved import moved_category, moved_collection
from apps.storefront.selectors.queries import read_filters, read_limit, read_ordering
from apps.storefront.selectors.search.rules import redirect_of
from apps.storefront.services.showing import show_list

POPULAR, NEWEST, COLLECTIONS = 8, 4, 6


class HomePage(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(
            "home",
            seo=home_head(self.store),
            collections=catalogue.collections(limit=COLLECTIONS, cursor=None).rows,
            popular=self._first(POPULAR, "-popularity"),
            newest=self._first(NEWEST, "-created"),
            viewed=last_viewed(self),
        )

    def _first(self, limit: int, ordering: str) -> list[Any]:
        wanted = Wanted(self.store.pk, self.currency, timezone.now(), self.group_id, in_stock=True)
        found, _changes = show_list(wanted=wanted, ordering=ordering, limit=limit, cursor=None)
        return [json.loads(row[0]) for row in found.rows]


class ListPage(Page):
    """A list with facets, read from the query as the API reads it."""

    # The setting that says the addresses of such lists.
    pattern = ""

    def get(self, request: HttpRequest, slug: str = "") -> HttpResponse:
        if (told := folded(request.GET)) is not None:
            return redirect(f"?{told}")
        query, heading = request.GET, self.heading(slug)
        wanted = read_filters(query, store=self.store, currency=self.currency, at=timezone.now())
        if wanted.search and (leads := self.leads(wanted)):
            return redirect(leads)
        wanted = self.narrowed(replace(wanted, group_id=self.group_id), slug)
        ordering = read_ordering(query)
        found, _changes = show_list(
            wanted=wanted,
            ordering=ordering,
            limit=read_limit(query),
            cursor=query.get("cursor"),
            searched=True,
        )
        counted = facets(wanted)
        return self.show(
            "list",
            seo=list_head(
                self.store,
                heading.get("heading", {}),
                pattern=getattr(settings, self.pattern, ""),
            ),
            is_narrowed=bool(query),
            products=[json.loads(row[0]) for row in found.rows],
            count=counted.count,
            exact=counted.exact,
            groups=facet_groups(counted, query, self.currency),
            ranges=range_form(counted, query),
            orderings=ordering_links(query, ordering, search=bool(wanted.search)),
            next=with_cursor(query, found.next),
            previous=with_cursor(query, found.previous),
            search=wanted.search,
            did_you_mean=suggest.correction(wanted) if wanted.search and not counted.count else "",
            **heading,
        )

    def heading(self, slug: str) -> dict[str, Any]:
        return {}

    def narrowed(self, wanted: Wanted, slug: str) -> Wanted:
        return wanted

    def leads(self, wanted: Wanted) -> str | None:
        """Where a merchant lets this search lead, if there."""
        return redirect_of(store_id=wanted.store_id, search=wanted.search)


class CategoryPage(ListPage):
    pattern = "CATEGORY_URL"

    def heading(self, slug: str) -> dict[str, Any]:
        return {"heading": catalogue.category_page(slug=slug)}

    def narrowed(self, wanted: Wanted, slug: str) -> Wanted:
        return replace(wanted, category=slug)

    def present_slug(self, slug: str) -> str | None:
        return moved_category(slug=slug)


class CollectionPage(ListPage):
    pattern = "COLLECTION_URL"

    def heading(self, slug: str) -> dict[str, Any]:
        return {"heading": catalogue.collection_page(slug=slug)}

    def narrowed(self, wanted: Wanted, slug: str) -> Wanted:
        return replace(wanted, collection=slug)

    def present_slug(self, slug: str) -> str | None:
        return moved_collection(slug=slug)
