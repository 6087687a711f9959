"""Rotating the keys of sealed fields, and telling when it is time."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from apps.core.fields import SealedField
from apps.core.health import register_report
from apps.core.models import EncryptionKey
from apps.core.secrets import Sealed, current_key_id, seal

logger = logging.getLogger(__name__)
# A key that encrypts for longer should be followed by another one.
ROTATE_AFTER = timedelta(days=90)
_HEALTH = "health:encryption_key"
# Longer than the time between two looks.
_KEPT_SECONDS = 3 * 3600


def rotate_secrets() -> tuple[int, int]:
    """Encrypt every sealed field by the first key; how many, and how many were already.

    Each row by itself, and only if it is still what was read: it may run beside the shop. Raises
    UndecryptableSecret for a row whose key is gone.
    """
    key_id, rotated, left = current_key_id(), 0, 0
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if not isinstance(field, SealedField):
                continue
            rows = model._default_manager.exclude(**{field.name: Sealed("")})
            for pk, sealed in rows.values_list("pk", field.name).iterator(chunk_size=500):
                if sealed.key_id == key_id:
                    left += 1
                    continue
                same = model._default_manager.filter(pk=pk, **{field.name: sealed})
                with transaction.atomic():
                    rotated += same.update(**{field.name: seal(sealed.open())})
    return rotated, left


def note_key() -> None:
    """Note since when the first key encrypts; the log and the health page tell if that is long."""
    try:
        key_id = current_key_id()
    except ImproperlyConfigured:
        return
    key, _created = EncryptionKey.objects.get_or_create(key_id=key_id[:40])
    age = timezone.now() - key.first_seen_at
    told = {}
    if age > ROTATE_AFTER:
        told = {"encryption_key": {"status": "old", "days": age.days}}
        logger.warning("encryption key is old", extra={"key_id": key.key_id, "days": age.days})
    cache.set(_HEALTH, told, _KEPT_SECONDS)


def key_health() -> dict[str, Any]:
    """Nothing, or that the key which encrypts secrets should be rotated."""
    return cache.get(_HEALTH) or {}


register_report(key_health)
