"""Rebuild what shoppers read, from the catalogue, the prices and the stock."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.storefront.services.listing import products_to_list, rebuild_all
from apps.stores.models import Store


class Command(BaseCommand):
    help = "Rebuild all listings: after a store's currencies changed, or to be sure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--store", help="Only what this store (its code) publishes.")

    def handle(self, *args: Any, **options: Any) -> None:
        store = None
        if code := options["store"]:
            store = Store.objects.filter(code=code).first()
            if store is None:
                raise CommandError(f"There is no store {code!r}.")
        done = 0
        total = products_to_list(store=store).count()
        try:
            with tqdm(total=total, unit="product", file=self.stderr) as bar:
                for number in rebuild_all(store=store):
                    done += number
                    bar.update(number)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after {done} of {total} products.") from None
        self.stdout.write(f"{done} products listed")
