"""Write a product feed into a file, for who uploads it or serves it from elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core.errors import DomainError
from apps.storefront.services.feeds import FEEDS, listed
from apps.stores.selectors import currency_for, default_store, store_called


class Command(BaseCommand):
    help = "Export the products of a store as a feed for Google Merchant Center or Meta."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", choices=sorted(FEEDS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--store", help="The code of the store (the default one).")
        parser.add_argument("--currency", help="One of the store's (its default one).")

    def handle(self, *args: Any, feed: str, file: Path, **options: Any) -> None:
        try:
            store = store_called(options["store"]) if options["store"] else default_store()
            currency = currency_for(store, options["currency"])
            total = listed(store=store, currency=currency).count()
            # Written beside and moved into place: a file that is there is whole.
            partial = file.with_name(f"{file.name}.part")
            with (
                tqdm(total=total, unit="product", file=self.stderr) as bar,
                partial.open("w", encoding="utf-8", newline="") as output,
            ):
                lines = FEEDS[feed](store=store, currency=currency, progress=bar.update)
                output.writelines(lines)
            partial.replace(file)
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped; {file} is as it was.") from None
        self.stdout.write(str(file))
