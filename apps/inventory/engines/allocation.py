"""Which location sends which pieces. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, takewhile
from typing import TypeVar

Place = TypeVar("Place")
# Beyond so many locations every choice of them is too many to try.
MAX_PLACES = 10


def allocate(
    wanted: Mapping[int, int],
    free: Mapping[int, Sequence[tuple[Place, int]]],
    *,
    fewest: bool = False,
) -> tuple[list[tuple[int, Place, int]], dict[int, int]]:
    """Pieces of each variant (variant, place, pieces), and what is left of those that are short.

    `free` tells what each place has of a variant, the preferred place first. All pieces of a
    variant come from the first place that has enough, else from as many as it takes. `fewest`:
    from as few places as can send all of it together; of those the preferred ones.
    """
    takes: list[tuple[int, Place, int]] = []
    short: dict[int, int] = {}
    if fewest:
        free = _fewest(wanted, free)
    for variant, quantity in wanted.items():
        places = [(place, max(0, pieces)) for place, pieces in free.get(variant, ())]
        left = sum(pieces for _place, pieces in places)
        if left < quantity:
            short[variant] = left
            continue
        whole = [entry for entry in places if entry[1] >= quantity]
        left = quantity
        for place, pieces in whole[:1] or places:
            if part := min(pieces, left):
                takes.append((variant, place, part))
                left -= part
    return takes, short


def _fewest(
    wanted: Mapping[int, int], free: Mapping[int, Sequence[tuple[Place, int]]]
) -> Mapping[int, Sequence[tuple[Place, int]]]:
    """`free`, of as few places as have all that is wanted; as it is if no ten of them do."""
    places = list(dict.fromkeys(place for entries in free.values() for place, _pieces in entries))
    has = {(variant, place): max(0, n) for variant in free for place, n in free[variant]}
    for count in range(1, min(len(places), MAX_PLACES)):
        for chosen in combinations(places[:MAX_PLACES], count):
            if all(
                sum(has.get((variant, place), 0) for place in chosen) >= quantity
                for variant, quantity in wanted.items()
            ):
                return {
                    variant: [entry for entry in entries if entry[0] in chosen]
                    for variant, entries in free.items()
                }
    return free


def distance(origin: Mapping[str, str], destination: Mapping[str, str]) -> int:
    """How far it is, as far as addresses tell: less is nearer.

    Another country is farthest; in the same one a postcode is the nearer, the more of its
    beginning it shares.
    """
    if origin.get("country", "") != destination.get("country", ""):
        return 100
    codes = [
        place.get("postal_code", "").replace(" ", "").upper() for place in (origin, destination)
    ]
    pairs = zip(*codes, strict=False)
    return 99 - sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))
