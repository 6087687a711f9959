"""Send all orders that wait to be shipped to ShipStation (API v1)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.fulfillment.services import export_open_orders
from apps.shipping.carriers.base import CarrierError


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refused = export_open_orders()
        except CarrierError as error:
            raise CommandError(str(error)) from error
        for number, reason in refused.items():
            self.stderr.write(f"{number}: {reason}")
        if refused:
            raise CommandError(f"{len(refused)} refused")
