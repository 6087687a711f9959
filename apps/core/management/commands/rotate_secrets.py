"""Encrypt every secret in the database by the first of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.rotating import rotate_secrets


class Command(BaseCommand):
    help = "Encrypt every secret by the first of FIELD_ENCRYPTION_KEYS; safe to run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, left = rotate_secrets()
        self.stdout.write(f"{rotated} encrypted anew, {left} were already.")
