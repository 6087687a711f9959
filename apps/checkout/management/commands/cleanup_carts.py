"""Delete carts that nobody touched for seven days."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.checkout.services import cleanup_carts


class Command(BaseCommand):
    help = "Delete carts abandoned for seven days."

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        while deleted := cleanup_carts():
            total += deleted
            self.stdout.write(f"{total} deleted", ending="\r")
        self.stdout.write(f"{total} deleted")
