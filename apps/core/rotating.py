"""Rotating the keys of sealed fields."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction

from apps.core.fields import SealedField
from apps.core.secrets import Sealed, current_key_id, seal


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
