"""What anybody may read: no session, no user, no COUNT; stored JSON, sent as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from apps.core.api.permissions import Public
from apps.core.api.public import moved_to, public_answer
from apps.core.api.renderers import dumps
from apps.core.api.views import BaseApi
from apps.core.errors import NotFound
from apps.core.money import money_json
from apps.storefront.api import serializers
from apps.storefront.api.filters import FILTER_PARAMETERS, PAGE_PARAMETERS
from apps.storefront.selectors import catalogue, suggest
from apps.storefront.selectors.facets import Facets, counted, facets
from apps.storefront.selectors.filters import Wanted
from apps.storefront.selectors.moved import (
    moved_category,
    moved_collection,
    moved_filters,
    moved_product,
)
from apps.storefront.selectors.pages import Page
from apps.storefront.selectors.queries import (
    ATTRIBUTE,
    FILTERS,
    read_filters,
    read_flag,
    read_limit,
    read_ordering,
    read_search,
)
from apps.storefront.selectors.search.rules import redirect_of
from apps.storefront.services.showing import Changes, show_list, show_product
from apps.stores.models import Store
from apps.stores.selectors import currency_for, current_store

MOVED = {308: OpenApiResponse(description="Its slug changed; `Location` has the present one.")}


def next_change(changes: Changes) -> datetime | None:
    return min((at for _pk, at in changes if at is not None), default=None)


class PublicView(BaseApi):
    authentication_classes = ()
    permission_classes = (Public,)
    public_bytes = True

    # Names the store in the keys of an answer, once the request's store is known.
    store_key = ""

    @property
    def group_id(self) -> int | None:
        """The customer group of whoever asks; what anybody may read is for none."""
        return None

    def answer(self, body: bytes, keys: str, until: datetime | None = None) -> HttpResponse:
        """`body` (JSON), made of what `keys` name and true `until` then."""
        return public_answer(self.request, body, keys, until)

    def moved_to(self, address: str, keys: str) -> HttpResponse:
        """308 to the present address of what has moved."""
        return moved_to(address, keys)

    def moved_answer(self, now: str | None, keys: str) -> HttpResponse:
        """308 from the page of a former slug to that of the present one; NotFound without it."""
        if now is None:
            raise NotFound()
        above = self.request.path.rstrip("/").rpartition("/")[0]
        query = self.request.META.get("QUERY_STRING")
        return self.moved_to(f"{above}/{now}/" + (f"?{query}" if query else ""), keys)

    def context(self, request: Any) -> tuple[Store, str]:
        """The store and the currency of the request."""
        store = current_store(request)
        self.store_key = f"store-{store.code}"
        return store, currency_for(store, request.query_params.get("currency"))

    def wanted(self, request: Any) -> Wanted:
        """The filters of the request."""
        store, currency = self.context(request)
        found = read_filters(
            request.query_params, store=store, currency=currency, at=timezone.now()
        )
        return replace(found, group_id=self.group_id)


class _FilteredView(PublicView):
    """Attribute filters have names of the merchant's making; `read_filters` knows them."""

    query_params = FILTERS

    def allowed_query_params(self) -> set[str]:
        given = self.request.query_params
        return {*self.query_params, *(name for name in given if name.startswith(ATTRIBUTE))}

    def moved(self, request: Any, wanted: Wanted) -> HttpResponse | None:
        """Of a list that found nothing: 308 to that of the present slugs, if it named others."""
        filters = moved_filters(wanted)
        if not filters:
            return None
        query = request.query_params.copy()
        for name, value in filters.items():
            query[name] = value
        address = f"{request.path}?{query.urlencode(safe=',')}"
        return self.moved_to(address, f"products {self.store_key}")


class ProductListView(_FilteredView):
    query_params = FILTERS | {"ordering", "limit", "cursor", "count"}

    @extend_schema(
        summary="List, filter and search products",
        description=(
            "Beside the named filters, `attr_<code>=` filters by an attribute: texts separated"
            " by commas (any of them), or for a number `min..max`."
        ),
        parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS],
        responses={200: serializers.ProductItemListSerializer, **MOVED},
    )
    def get(self, request: Any) -> HttpResponse:
        wanted, query = self.wanted(request), request.query_params
        found, changes = show_list(
            wanted=wanted,
            ordering=read_ordering(query),
            limit=read_limit(query),
            cursor=query.get("cursor"),
            searched=True,
        )
        if not found.rows and (moved := self.moved(request, wanted)):
            return moved
        more: dict[str, Any] = {}
        if read_flag(query, "count"):
            more["count"], more["count_exact"] = counted(wanted)
        leads = (
            redirect_of(store_id=wanted.store_id, search=wanted.search) if wanted.search else None
        )
        if leads:
            more["redirect"] = leads
        if wanted.search and not found.rows and not query.get("cursor"):
            more["did_you_mean"] = suggest.correction(wanted)
        body = _page_json(request, found, [row[0] for row in found.rows], more)
        return self.answer(body, f"products {self.store_key}", next_change(changes))


def _page_json(
    request: Any, found: Page, items: Iterable[str], more: dict[str, Any] | None = None
) -> bytes:
    """A page of items that are JSON already, and what else belongs to it."""
    text = (
        f'{{"next":{_link(request, found.next)},"previous":{_link(request, found.previous)}'
        f',"results":[{",".join(items)}]'
    )
    return text.encode() + (b"," + dumps(more)[1:] if more else b"}")


class SuggestView(PublicView):
    query_params = frozenset({"q", "currency"})

    @extend_schema(
        summary="What a shopper who is typing may mean",
        description="At most ten: whole searches, categories and products.",
        parameters=[
            OpenApiParameter("q", str, description="What was typed so far.", required=True),
            *(p for p in FILTER_PARAMETERS if p.name == "currency"),
        ],
        responses=serializers.SuggestionsSerializer,
    )
    def get(self, request: Any) -> HttpResponse:
        store, currency = self.context(request)
        wanted = Wanted(
            store_id=store.pk,
            currency=currency,
            at=timezone.now(),
            group_id=self.group_id,
            search=read_search(request.query_params, "q"),
            language=store.language,
        )
        labels = [{"slug": node.slug, "name": node.name} for node in suggest.categories(wanted)]
        known = dumps({"terms": suggest.terms(wanted), "categories": labels}).decode()
        items: str = ""
        changes: Changes = ()
        if wanted.search.split():
            found, changes = show_list(
                wanted=wanted, ordering="relevance", limit=suggest.PRODUCTS, cursor=None
            )
            items = ",".join(row[0] for row in found.rows)
        body = f'{known[:-1]},"products":[{items}]}}'
        keys = f"products categories {self.store_key}"
        return self.answer(body.encode(), keys, next_change(changes))


def _link(request: Any, cursor: str | None) -> str:
    if cursor is None:
        return "null"
    query = request.query_params.copy()
    query["cursor"] = cursor
    here = request.build_absolute_uri(request.path)
    return dumps(f"{here}?{query.urlencode()}").decode()


class ProductFacetsView(_FilteredView):
    @extend_schema(
        summary="Count products per category, brand, attribute, price and rating",
        description="Takes the filters of the list, `attr_<code>=` included.",
        parameters=FILTER_PARAMETERS,
        responses={200: serializers.FacetsSerializer, **MOVED},
    )
    def get(self, request: Any) -> HttpResponse:
        wanted = self.wanted(request)
        found = facets(wanted)
        if not found.count and (moved := self.moved(request, wanted)):
            return moved
        body = dumps(_facets_json(found, wanted.currency))
        return self.answer(body, f"products {self.store_key}")


def _facets_json(found: Facets, currency: str) -> dict[str, Any]:
    attributes: list[dict[str, Any]] = [
        {
            "code": code,
            "name": name,
            "values": [{"value": value, "count": count} for value, count in values],
        }
        for code, (name, values) in found.choices.items()
    ]
    attributes += [
        {"code": code, "name": name, "min": low, "max": high, "count": count}
        for code, (name, low, high, count) in found.numbers.items()
    ]
    return {
        "count": found.count,
        "exact": found.exact,
        "availability": [
            {"in_stock": in_stock, "count": count} for in_stock, count in found.availability
        ],
        "categories": [
            {"slug": node.slug, "name": node.name, "count": count}
            for node, count in found.categories
        ],
        "brands": [
            {"slug": slug, "name": name, "count": count} for slug, name, count in found.brands
        ],
        "attributes": sorted(attributes, key=lambda facet: facet["name"]),
        "prices": [
            {
                "min": money_json(low, currency),
                "max": None if high is None else money_json(high, currency),
                "count": count,
            }
            for low, high, count in found.prices
        ],
        "ratings": [{"min": stars, "count": count} for stars, count in found.ratings],
    }


class ProductPageView(PublicView):
    query_params = frozenset({"currency"})

    @extend_schema(
        summary="Show a product with its variants",
        parameters=[p for p in FILTER_PARAMETERS if p.name == "currency"],
        responses={200: serializers.ProductPageSerializer, **MOVED},
    )
    def get(self, request: Any, slug: str) -> HttpResponse:
        store, currency = self.context(request)
        asked: Any = {
            "store_id": store.pk,
            "currency": currency,
            "slug": slug,
            "at": timezone.now(),
            "group_id": self.group_id,
        }
        keys = f"product-{slug} products {self.store_key}"
        try:
            shown = show_product(**asked)
        except NotFound:
            return self.moved_answer(moved_product(**asked), keys)
        return self.answer(shown.body.encode(), keys, next_change(shown.changes))


class CategoryTreeView(PublicView):
    @extend_schema(
        summary="The category tree",
        description="One page: the roots, with everything below them.",
        responses=serializers.CategoryTreeSerializer,
    )
    def get(self, request: Any) -> HttpResponse:
        body = {"next": None, "previous": None, "results": catalogue.tree()}
        return self.answer(dumps(body), "categories")


class CategoryView(PublicView):
    @extend_schema(
        summary="Show a category with what is above and below it",
        responses={200: serializers.CategoryPageSerializer, **MOVED},
    )
    def get(self, request: Any, slug: str) -> HttpResponse:
        keys = f"category-{slug} categories"
        try:
            body = catalogue.category_page(slug=slug)
        except NotFound:
            return self.moved_answer(moved_category(slug=slug), keys)
        return self.answer(dumps(body), keys)


class CollectionListView(PublicView):
    query_params = frozenset({"limit", "cursor"})

    @extend_schema(
        summary="List collections",
        parameters=[p for p in PAGE_PARAMETERS if p.name in ("limit", "cursor")],
        responses=serializers.CollectionListSerializer,
    )
    def get(self, request: Any) -> HttpResponse:
        query = request.query_params
        found = catalogue.collections(limit=read_limit(query), cursor=query.get("cursor"))
        items = [dumps({"slug": slug, "name": name}).decode() for slug, name in found.rows]
        return self.answer(_page_json(request, found, items), "collections")


class CollectionView(PublicView):
    @extend_schema(
        summary="Show a collection",
        description="Its products are listed by `/products/?collection=<slug>`.",
        responses={200: serializers.CollectionPageSerializer, **MOVED},
    )
    def get(self, request: Any, slug: str) -> HttpResponse:
        keys = f"collection-{slug} collections"
        try:
            body = catalogue.collection_page(slug=slug)
        except NotFound:
            return self.moved_answer(moved_collection(slug=slug), keys)
        return self.answer(dumps(body), keys)
