"""Build the demo shop once, and serve it with its background work in one process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.test.utils import override_settings
from tqdm import tqdm

from apps.core.outbox import drain
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.stores.models import Store
from commerce.demo import catalogue, offers, opinions, sales, shop, wishes

_MAIL = "django.core.mail.backends"


class Command(BaseCommand):
    help = "Build the demo shop (once) and serve it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--build-only", action="store_true", help="Don't serve.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Set COMMERCE_DEMO=1: the demo has known passwords.")
        call_command("migrate", interactive=False, verbosity=0)
        states = Path(settings.MEDIA_ROOT).parent
        with (
            StripeSimulator(
                state_file=states / "stripe-simulator.json", settle_seconds=1.0
            ) as stripe,
            PayPalSimulator(state_file=states / "paypal-simulator.json") as paypal,
        ):
            settings.STRIPE_API_BASE = stripe.url
            settings.PAYPAL_API_BASE = paypal.url
            if not Store.objects.exists():
                # The mails of invented orders stay in the delivery log.
                with override_settings(EMAIL_BACKEND=f"{_MAIL}.dummy.EmailBackend"):
                    self._build()
            if options["build_only"]:
                return
            site = f"http://127.0.0.1:{options['port']}"
            stripe.use_webhook(
                f"{site}/api/v1/webhooks/stripe/", settings.STRIPE_WEBHOOK_SECRETS[0]
            )
            paypal.use_webhook(f"{site}/api/v1/webhooks/paypal/")
            self._tell(site)
            call_command(
                "runserver",
                f"127.0.0.1:{options['port']}",
                use_reloader=False,
                skip_checks=True,
                verbosity=0,
                stdout=open_null(),
            )

    def _build(self) -> None:
        call_command("sync_roles", verbosity=0)
        stores = shop.build_stores()
        shop.build_taxes()
        shop.build_invoices(stores[0])
        shop.build_shipping(stores)
        locations = shop.build_locations(stores)
        customers = shop.build_people()
        total = len(catalogue.product_names())
        for _product in self._bar(catalogue.build_products(stores, locations), "products", total):
            pass
        catalogue.build_gift_card(stores)
        catalogue.build_collections()
        offers.build_promotions()
        rounds = 4
        orders = sales.build_orders(stores[0], customers, rounds)
        for _order in self._bar(orders, "orders", rounds * len(sales.STEPS)):
            pass
        for _review in opinions.build_reviews(stores[0]):
            pass
        call_command("rebuild_listing", verbosity=0)
        call_command("relate_products", verbosity=0)
        wishes.build_wishes(stores[0], customers)
        drain()

    @staticmethod
    def _bar(items: Any, label: str, total: int) -> Any:
        return tqdm(items, desc=f"{label:9}", total=total, unit="", file=sys.stdout)

    def _tell(self, site: str) -> None:
        logins = "\n".join(f"             {email:24} {role}" for email, _name, role in shop.STAFF)
        self.stdout.write(
            f"""
  Shop       {site}/
  API        {site}/api/v1/docs/
  Admin      {site}/{settings.ADMIN_PATH}

  Password   {shop.PASSWORD}, for everybody:
{logins}
             shopper@example.com      a customer

  Payments are simulated: pm_card_visa pays, pm_card_chargeDeclined doesn't.
  The code WELCOME10 takes 10 % off a first try.
  Ctrl-C stops. `make demo-reset` starts over.
"""
        )
        self.stdout.flush()


def open_null() -> Any:
    """runserver's own greeting says less than ours."""
    return open("/dev/null", "w", encoding="utf-8")
