"""Text as a search sees it: words without case or accents, their stems, and how they misspell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_WORDS = 8
# The longest word that is kept, and the longest prefix that can be looked up.
LONGEST, PREFIX = 40, 8
# Words of which a slip of the fingers is forgiven.
SHORTEST_MISSPELT, LONGEST_MISSPELT = 4, 20
_SHORTEST_STEM = 3
_PARTS = re.compile(r"[^\W_]+")
# Said in passing: a description isn't found by them, and a search doesn't ask for them.
STOP_WORDS = {
    "en": frozenset("a an and at by for from in is it of on or the this to with".split()),
    "es": frozenset("a al con de del el en es la las lo los o para por sin un una y".split()),
    "de": frozenset("am an aus das dem den der die ein eine fur im in mit und von zu".split()),
    "fr": frozenset("a au aux avec de des du en et la le les ou par pour un une".split()),
    "it": frozenset("a al con da del della di e il in la le lo o per un una".split()),
    "pt": frozenset("a ao com da de do e em na no o os ou para por um uma".split()),
}


def folded(text: str) -> str:
    """Text for searching: lower case, without accents ("Café" → "cafe")."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between two spaces, folded: as one word, and its parts ("t-shirt")."""

    whole: str
    parts: tuple[str, ...]


def chunks(text: str) -> Iterator[Chunk]:
    """The words of a text in their order; each at most `LONGEST` characters."""
    for piece in folded(text).split():
        if parts := tuple(part[:LONGEST] for part in _PARTS.findall(piece)):
            yield Chunk("".join(parts)[:LONGEST], parts)


def phrase(text: str) -> str:
    """A whole search, so that two that mean the same are equal."""
    return " ".join(folded(text).split())


def is_stop_word(word: str, language: str) -> bool:
    return word in STOP_WORDS.get(language, ())


def stem(word: str, language: str) -> str:
    """A folded word without the ending of its number and gender.

    Light on purpose: endings that make another word ("-ness") stay, so that little is found by
    mistake. A language that isn't known here is left as it is; so is a word with a digit.
    """
    light = _STEMMERS.get(language)
    if light is None or len(word) <= _SHORTEST_STEM or not word.isalpha():
        return word
    shorter = light(word)
    return shorter if len(shorter) >= _SHORTEST_STEM else word


def _english(word: str) -> str:
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ie"):
        return word[:-1]
    return word[:-1] + "i" if word.endswith("y") and word[-2] not in "aeiou" else word


def _spanish(word: str) -> str:
    word = word.removesuffix("s")
    word = word[:-1] if word.endswith(("a", "e", "o")) else word
    return word[:-1] + "z" if word.endswith("c") else word


def _german(word: str) -> str:
    for ending in ("ern", "em", "en", "er", "es", "e", "s", "n"):
        if word.endswith(ending):
            return word[: -len(ending)]
    return word


def _french(word: str) -> str:
    if word.endswith("eaux"):
        return word[:-1]
    if word.endswith("aux"):
        return word[:-2] + "l"
    return word.rstrip("sx").removesuffix("e")


def _italian(word: str) -> str:
    return word[:-1] if word.endswith(("a", "e", "i", "o")) else word


def _portuguese(word: str) -> str:
    if word.endswith("oes"):
        return word[:-3] + "a"
    word = word.removesuffix("s")
    return word[:-1] if word.endswith(("a", "e", "o")) else word


_STEMMERS: dict[str, Callable[[str], str]] = {
    "en": _english,
    "es": _spanish,
    "de": _german,
    "fr": _french,
    "it": _italian,
    "pt": _portuguese,
}


def prefix_key(word: str) -> str:
    """The key of the words that may begin with this one."""
    return word[:PREFIX] + "*"


def slips(text: str) -> set[str]:
    """A stem, and it without each of its letters: two that share one are one slip apart.

    A letter too many, missing, wrong or swapped with its neighbour. Empty for what is too short,
    too long, or has a digit: a number that is off by one is another number.
    """
    if not (SHORTEST_MISSPELT <= len(text) <= LONGEST_MISSPELT and text.isalpha()):
        return set()
    return {text} | {text[:i] + text[i + 1 :] for i in range(len(text))}


def keys_of(word: str, text: str) -> set[str]:
    """Under what a word of the vocabulary is found that was begun or misspelt; `text` its stem.

    Numbers of articles are many, and nobody wants all that begin with one digit.
    """
    shortest = 2 if word.isalpha() else SHORTEST_MISSPELT
    begun = {prefix_key(word[:end]) for end in range(shortest, min(len(word), PREFIX) + 1)}
    return begun | slips(text)


def distance(one: str, other: str) -> int:
    """Letters to add, drop, change or swap with the next, to make one word the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, another in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
