"""What machines fetch of a store by its host, outside the API: robots.txt, sitemaps, feeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from apps.core.api.permissions import Public
from apps.core.api.views import BaseApi
from apps.core.errors import NotFound
from apps.storefront.selectors.sitemaps import SECTIONS, sitemap, sitemap_index, sitemap_pages
from apps.storefront.services.feeds import FEEDS, next_change
from apps.stores.models import Store
from apps.stores.selectors import currency_for, current_store, store_called

MAX_AGE = 3_600
# Prices and stock are told to buyers, who hold us to them.
FEED_MAX_AGE = 300
XML = "application/xml; charset=utf-8"
FEED_TYPES = {"google": XML, "meta": "text/csv; charset=utf-8"}


class CrawlerView(BaseApi):
    """No part of the API's document; whatever type is asked for, there is one."""

    authentication_classes = ()
    permission_classes = (Public,)
    query_params = frozenset({"store"})
    schema = None

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    def store(self, request: Any) -> Store:
        """The one named by `?store=`, else that of the host (or X-Store)."""
        code = request.query_params.get("store")
        return store_called(code) if code else current_store(request)

    def address(self, request: Any, path: str, **query: str) -> str:
        """The absolute address of another file of the same store."""
        store = request.query_params.get("store")
        wanted = {**({"store": store} if store else {}), **query}
        return request.build_absolute_uri(path + (f"?{urlencode(wanted)}" if wanted else ""))


def crawled(lines: Iterable[str], content_type: str, *, max_age: int = MAX_AGE) -> HttpResponseBase:
    """The lines, sent as they are made."""
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Cache-Control"] = f"public, max-age={max_age}"
    patch_vary_headers(response, ("X-Store",))
    return response


class RobotsView(CrawlerView):
    def get(self, request: Any) -> HttpResponseBase:
        self.store(request)
        lines = ["User-agent: *\n", "Disallow:\n", "\n"]
        lines.append(f"Sitemap: {self.address(request, '/sitemap.xml')}\n")
        return crawled(lines, "text/plain; charset=utf-8")


class SitemapIndexView(CrawlerView):
    def get(self, request: Any) -> HttpResponseBase:
        return crawled([sitemap_index(self._addresses(request))], XML)

    def _addresses(self, request: Any) -> Iterator[str]:
        store, now = self.store(request), timezone.now()
        for section in SECTIONS:
            for after in sitemap_pages(section=section, store=store, at=now):
                query = {"after": after} if after else {}
                yield self.address(request, f"/sitemap-{section}.xml", **query)


class SitemapView(CrawlerView):
    query_params = frozenset({"store", "after"})

    def get(self, request: Any, section: str) -> HttpResponseBase:
        if section not in SECTIONS:
            raise NotFound()
        after = request.query_params.get("after", "")
        store = self.store(request)
        lines = sitemap(section=section, store=store, at=timezone.now(), after=after)
        return crawled(lines, XML)


class FeedView(CrawlerView):
    query_params = frozenset({"store", "currency"})
    # Which of FEEDS.
    feed = ""

    def get(self, request: Any) -> HttpResponseBase:
        store = self.store(request)
        currency = currency_for(store, request.query_params.get("currency"))
        lines = FEEDS[self.feed](store=store, currency=currency)
        until, left = next_change(store=store, currency=currency), FEED_MAX_AGE
        if until is not None:
            # No cache keeps a price that has ended.
            left = max(0, min(left, int((until - timezone.now()).total_seconds())))
        return crawled(lines, FEED_TYPES[self.feed], max_age=left)
