"""Send all documents anew to a search on another server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.remote import RemoteError
from apps.storefront.services.sending import renew_search


class Command(BaseCommand):
    help = "Send all documents anew to the server that SEARCH_BACKEND asks."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sent = renew_search()
        except RemoteError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{sent} documents sent")
