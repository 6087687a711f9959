"""For the owner of a shop who lost the phone and the backup codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User, normalize_email
from apps.accounts.services.second_factor import take_away


class Command(BaseCommand):
    help = "Switch somebody's second factor off; every session of theirs ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalize_email(options["email"])).first()
        if user is None or not user.has_second_factor:
            raise CommandError("There is no such account with a second factor.")
        take_away(user=user)
        self.stdout.write("The second factor is off.")
