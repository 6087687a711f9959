"""Sets the staff's roles to their permissions; `migrate` does the same at its end."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services.roles import sync_roles


class Command(BaseCommand):
    help = "Sets the groups of the staff's roles to the permissions of this release."

    def handle(self, *args: Any, **options: Any) -> None:
        for role, count in sync_roles().items():
            self.stdout.write(f"{role}: {count} permissions")
