"""Which location sends which pieces. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

Place = TypeVar("Place")


def allocate(
    wanted: Mapping[int, int], free: Mapping[int, Sequence[tuple[Place, int]]]
) -> tuple[list[tuple[int, Place, int]], dict[int, int]]:
    """Pieces of each variant (variant, place, pieces), and what is left of those that are short.

    `free` tells what each place has of a variant, the preferred place first. All pieces of a
    variant come from the first place that has enough, else from as many as it takes.
    """
    takes: list[tuple[int, Place, int]] = []
    short: dict[int, int] = {}
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
