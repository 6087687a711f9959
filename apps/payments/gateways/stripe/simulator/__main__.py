"""`python -m apps.payments.gateways.stripe.simulator`: run the simulator until interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from .simulator import StripeSimulator


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="stripe-simulator", description="A Stripe account on this machine, for demo and tests."
    )
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=12111)
    options.add_argument("--state", type=Path, help="keep the account in this JSON file")
    options.add_argument("--webhook", help="send every event to this URL")
    options.add_argument("--webhook-secret", help="sign with this secret (whsec_…)")
    options.add_argument(
        "--allow-host", action="append", default=[], help="a webhook host that is not loopback"
    )
    options.add_argument(
        "--refuse-retired",
        action="store_true",
        help="refuse payment_method_types, as Stripe now does",
    )
    options.add_argument("--public-url", help="how a browser reaches the simulator's pages")
    return options


def main() -> None:
    given = parser().parse_args()
    simulator = StripeSimulator(
        given.host,
        given.port,
        state_file=given.state,
        refuse_retired=given.refuse_retired,
    )
    for host in given.allow_host:
        simulator.allow_webhook_host(host)
    simulator.start()
    if given.public_url:
        simulator.world.base_url = given.public_url.rstrip("/")
    if given.webhook:
        simulator.use_webhook(given.webhook, given.webhook_secret)
        print(f"Webhooks to {given.webhook}, secret {simulator.webhook_secret}", flush=True)
    print(f"Stripe simulator on {simulator.url}, key {simulator.secret_key}", flush=True)
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    interrupted.wait()
    simulator.stop()


if __name__ == "__main__":
    main()
