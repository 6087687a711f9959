"""Who does a thing for us, by the dotted path that the settings name."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.module_loading import import_string


@cache
def provider(path: str) -> Any:
    """The one object of the class at `path`, made when it is first asked for."""
    return import_string(path)()
