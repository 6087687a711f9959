"""What merchants say about searches: words that mean the same, and where some searches lead."""

from __future__ import annotations

from collections import defaultdict

from django.conf import settings

from apps.core.cache import ShortCache
from apps.storefront.engines.words import phrase, stem
from apps.storefront.models import SearchRedirect, SearchSynonym

# Stem → the stems that mean the same, by store.
Synonyms = dict[int, dict[str, set[str]]]


def words_of(words: str) -> list[str]:
    """The words of a synonym's row, folded, each once."""
    return list(dict.fromkeys(word for part in words.split(",") if (word := phrase(part))))


def _load_synonyms() -> Synonyms:
    found: Synonyms = defaultdict(lambda: defaultdict(set))
    for row in SearchSynonym.objects.select_related("store"):
        stems = {stem(word, row.store.language) for word in words_of(row.words)}
        for text in stems:
            found[row.store_id][text] |= stems - {text}
    return found


def _load_redirects() -> dict[tuple[int, str], str]:
    rows = SearchRedirect.objects.values_list("store_id", "query", "target")
    return {(store_id, query): target for store_id, query, target in rows}


# Few rows, read by every search: a few seconds late is fine.
_synonyms: ShortCache[Synonyms] = ShortCache(
    _load_synonyms, key="searches", seconds=5.0, enabled=lambda: settings.SHORT_CACHES
)
_redirects: ShortCache[dict[tuple[int, str], str]] = ShortCache(
    _load_redirects, key="searches", seconds=5.0, enabled=lambda: settings.SHORT_CACHES
)


def synonyms(*, store_id: int) -> dict[str, set[str]]:
    """Stem → the stems that mean the same in a store."""
    return _synonyms.get().get(store_id, {})


def redirect_of(*, store_id: int, search: str) -> str | None:
    """The path that a search leads to."""
    return _redirects.get().get((store_id, phrase(search)))
