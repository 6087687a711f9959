"""Caches in front of the shop: what each of them has to do, and who they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.http import HttpResponse

from apps.core.providers import provider


class EdgeCache:
    """A class named in `EDGE_CACHES` subclasses this one."""

    # Settings without which it can't work; `manage.py check` asks.
    needs: tuple[str, ...] = ()

    def purge(self, keys: Sequence[str]) -> None:
        """Forget every answer that names one of these keys, however many they are.

        Raises RemoteError or FetchError; asked again, it does the same again.
        """
        raise NotImplementedError

    def label(self, response: HttpResponse, keys: str) -> None:
        """Tell this cache the keys of an answer (separated by spaces), where it doesn't read them
        in `Surrogate-Key`."""


def edge_caches() -> dict[str, EdgeCache]:
    """The caches in front of this shop, by their dotted path."""
    return {path: provider(path) for path in settings.EDGE_CACHES}


def in_parts(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """As many keys as one call takes, until all are told."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
