"""Run a simulated payment provider, and order its next failure: `manage.py simulate paypal`."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import http
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.gateways.simulation.control import BEHAVIOURS
from apps.payments.gateways.stripe.simulator import StripeSimulator

PORTS = {"stripe": 12111, "paypal": 12112}


class Command(BaseCommand):
    help = "Simulate a payment provider on this machine, to rehearse what may go wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=sorted(PORTS))
        parser.add_argument("--port", type=int, help="Stripe 12111, PayPal 12112 unless given.")
        parser.add_argument("--state", type=Path, help="Keep the account in this JSON file.")
        parser.add_argument(
            "--webhook", help="The shop's address for webhooks: …/api/v1/webhooks/paypal/."
        )
        parser.add_argument(
            "--webhook-secret",
            default="whsec_simulator",
            help="Of Stripe's webhooks.",
        )
        parser.add_argument(
            "--next",
            nargs="+",
            choices=list(BEHAVIOURS),
            metavar="BEHAVIOUR",
            help=f"What comes next at the running one: {', '.join(BEHAVIOURS)}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port = PORTS[options["provider"]] if options["port"] is None else options["port"]
        if options["next"]:
            for behaviour in options["next"]:
                self._order(port, behaviour)
            return
        simulator: StripeSimulator | PayPalSimulator
        if options["provider"] == "stripe":
            simulator = StripeSimulator(port=port, state_file=options["state"])
        else:
            simulator = PayPalSimulator(port=port, state_file=options["state"])
        try:
            with simulator:
                interrupted = threading.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, lambda *_: interrupted.set())
                self._tell(simulator, options)
                self.stdout.write(f"The simulator listens on {simulator.url}; Ctrl-C ends it.")
                interrupted.wait()
        except OSError as error:
            raise CommandError(f"Port {port} can't be used: {error}") from error

    def _order(self, port: int, behaviour: str) -> None:
        body = json.dumps({"behaviour": behaviour}).encode()
        url = f"http://127.0.0.1:{port}/_sim/next"
        headers = {"Content-Type": "application/json"}
        try:
            answer = http.send("POST", url, max_bytes=9999, headers=headers, body=body, inside=True)
        except http.FetchError as error:
            raise CommandError(f"Nothing listens on port {port}: {error}") from error
        if answer.status != 200:
            raise CommandError(json.loads(answer.body)["error"]["message"])
        self.stdout.write(f"Next: {behaviour}.")

    def _tell(self, simulator: StripeSimulator | PayPalSimulator, options: dict[str, Any]) -> None:
        """What leads the shop to it, and it to the shop."""
        if isinstance(simulator, StripeSimulator):
            environment = {
                "STRIPE_API_BASE": simulator.url,
                "STRIPE_SECRET_KEY": simulator.secret_key,
                "STRIPE_PUBLISHABLE_KEY": simulator.publishable_key,
                "STRIPE_WEBHOOK_SECRETS": options["webhook_secret"],
            }
            if options["webhook"]:
                simulator.use_webhook(options["webhook"], options["webhook_secret"])
        else:
            environment = {
                "PAYPAL_API_BASE": simulator.url,
                "PAYPAL_CLIENT_ID": simulator.client_id,
                "PAYPAL_CLIENT_SECRET": simulator.client_secret,
                "PAYPAL_WEBHOOK_ID": simulator.webhook_id,
            }
            if options["webhook"]:
                simulator.use_webhook(options["webhook"])
        self.stdout.write("Start the shop with:")
        for name, value in environment.items():
            self.stdout.write(f"  {name}={value}")
