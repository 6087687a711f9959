from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import DomainError
from apps.core.spreadsheet import write_lines
from apps.integrations.channels.registry import export_formats
from apps.integrations.services import export_products
from apps.stores.models import Store
from apps.stores.selectors import default_store


class Command(BaseCommand):
    help = "Export all products, their prices and stock into a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, choices=sorted(export_formats()))
        parser.add_argument("--store", help="The code of the store (the default one).")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            code = options["store"]
            store = Store.objects.get(code=code) if code else default_store()
            lines = export_products(format=options["format"], store=store)
            write_lines(file, lines)
        except Store.DoesNotExist as error:
            raise CommandError(f"There is no store {code!r}.") from error
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(file))
