"""Deliver the outbox's due events now: for cron, and for a shop whose broker is gone."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.outbox import drain


class Command(BaseCommand):
    help = "Deliver all due events of the outbox."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{drain()} delivered")
