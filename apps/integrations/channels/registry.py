"""The formats of this installation: IMPORT_CHANNELS names them by dotted paths."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.integrations.channels.base import Channel


class UnknownFormat(DomainError):
    code = "unknown_format"
    message = _("There is no such format.")


@cache
def channels() -> dict[str, Channel]:
    """Every format by its code."""
    return {code: import_string(path)() for code, path in settings.IMPORT_CHANNELS.items()}


def channel_of(code: str) -> Channel:
    """The format with this code. Raises UnknownFormat."""
    if code not in channels():
        raise UnknownFormat(field="format")
    return channels()[code]


def formats(subject: str) -> list[str]:
    """The codes of the formats of products, or of customers."""
    return sorted(code for code, channel in channels().items() if channel.subject == subject)


def export_formats() -> list[str]:
    """The formats of products that can be written, too."""
    return [code for code, channel in channels().items() if channel.exports]
