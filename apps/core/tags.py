"""Words that staff put on things: "VIP" and "vip" are one tag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.models import StaffTag

T = TypeVar("T", bound=StaffTag)
MOST_TAGS = 20
LONGEST_TAG = 60


class WrongTag(DomainError):
    code = "wrong_tag"
    message = _("A tag has 1 to 60 characters, and nothing has more than 20 of them.")


def tag_key(name: str) -> str:
    """What two spellings of one tag have in common."""
    return " ".join(name.split()).casefold()


def clean_tags(names: Iterable[str]) -> dict[str, str]:
    """Names of tags by their keys. Raises WrongTag."""
    tags = {tag_key(name): " ".join(name.split()) for name in names}
    if len(tags) > MOST_TAGS or not all(
        0 < len(key) <= LONGEST_TAG and len(name) <= LONGEST_TAG for key, name in tags.items()
    ):
        raise WrongTag(field="tags")
    return tags


def tag_named(model: type[T], name: str) -> T:
    """The tag of this name; made if there is none. Raises WrongTag."""
    ((key, clean),) = clean_tags([name]).items()
    tag, _made = model._default_manager.get_or_create(key=key, defaults={"name": clean})
    return tag
