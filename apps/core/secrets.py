"""Secrets of others (a gateway's keys) in the database: encrypted, named by their key, never shown.

Fernet (AES-128-CBC and HMAC-SHA256) with `FIELD_ENCRYPTION_KEYS`: the first key encrypts, all of
them decrypt. What is stored begins with its key's id ("k1:gAAAA…"), so that a rotation knows what
is left to do.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SHOWN = "•••"
_DERIVED = "debug"


class UndecryptableSecret(Exception):
    """Its key isn't among ours any more, or it was tampered with. Says no part of it."""


class Sealed:
    """Named secrets, encrypted. Only `open()` shows them: no repr, log, form or export does."""

    __slots__ = ("stored",)

    def __init__(self, stored: str) -> None:
        self.stored = stored

    def open(self) -> dict[str, str]:
        """The secrets by name. Raises UndecryptableSecret."""
        if not self.stored:
            return {}
        found: dict[str, str] = json.loads(decrypt(self.stored))
        return found

    @property
    def key_id(self) -> str:
        return self.stored.partition(":")[0]

    def __bool__(self) -> bool:
        return bool(self.stored)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.stored == self.stored

    def __hash__(self) -> int:
        return hash(self.stored)

    def __repr__(self) -> str:
        return SHOWN if self.stored else ""

    __str__ = __repr__


def seal(secrets: Mapping[str, str]) -> Sealed:
    """`secrets` under the first key; nothing for none."""
    return Sealed(encrypt(json.dumps(dict(secrets), sort_keys=True)) if secrets else "")


def encrypt(text: str) -> str:
    """ "<key id>:<token>", by the first key. Raises ImproperlyConfigured without one."""
    key_id, key = next(iter(_keys().items()))
    return f"{key_id}:{_fernet(key).encrypt(text.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Raises UndecryptableSecret."""
    key_id, _colon, token = stored.partition(":")
    key = _keys().get(key_id)
    if key is None:
        raise UndecryptableSecret(f"The key {key_id[:40]!r} isn't in FIELD_ENCRYPTION_KEYS.")
    try:
        return _fernet(key).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableSecret("It wasn't encrypted by that key.") from error


def current_key_id() -> str:
    """The key that encrypts now. Raises ImproperlyConfigured without one."""
    return next(iter(_keys()))


def check_keys() -> None:
    """Raises ImproperlyConfigured if the keys can't be used, or there is none."""
    for key in _keys().values():
        _fernet(key)


def _fernet(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError as error:
        message = "FIELD_ENCRYPTION_KEYS: a key is 32 bytes in URL-safe base64."
        raise ImproperlyConfigured(message) from error


def _keys() -> dict[str, str]:
    """Id → key, the one that encrypts first."""
    found = {}
    for named in settings.FIELD_ENCRYPTION_KEYS:
        key_id, colon, key = named.partition(":")
        if not (colon and key_id and key) or key_id in found:
            raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS: write id:key, each id once.")
        found[key_id] = key
    if found:
        return found
    if not (settings.DEBUG or settings.DEMO):
        raise ImproperlyConfigured("Set FIELD_ENCRYPTION_KEYS to keep secrets in the database.")
    digest = hashlib.sha256(f"field encryption {settings.SECRET_KEY}".encode()).digest()
    return {_DERIVED: base64.urlsafe_b64encode(digest).decode()}
