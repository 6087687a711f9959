from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from apps.orders.models import Order
from apps.orders.services.search import reindex_orders


class Command(BaseCommand):
    help = "Write anew by which words staff find orders."

    def handle(self, *args: Any, **options: Any) -> None:
        total = Order.objects.count()
        with tqdm(total=total, unit=" orders", disable=not sys.stderr.isatty()) as bar:
            done = reindex_orders(on_progress=lambda number: bar.update(number) and None)
        self.stdout.write(f"{done} orders.")
