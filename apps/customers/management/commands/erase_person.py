"""Forget somebody, at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.customers.services.erasing import erase, request_erasures_of


class Command(BaseCommand):
    help = "Erase what is known of an address: its account, and what it ordered as a guest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            requests = request_erasures_of(email=options["email"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        for request in requests:
            done = erase(request=request)
            request.refresh_from_db()
            state = "erased" if done else f"waits for {', '.join(request.waits_for)}"
            self.stdout.write(f"{request.public_id}: {state}, {request.kept.count()} records kept")
