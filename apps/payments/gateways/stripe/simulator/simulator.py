"""The simulator as an object: tests start it in process, the command line runs it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from apps.payments.gateways.simulation.simulator import Simulator
from apps.payments.gateways.simulation.store import token
from apps.payments.gateways.simulation.wire import JsonObject, Request

from . import payouts, webhook_endpoints, webhooks
from .application import Application
from .world import World

Outcome = Literal["succeeded", "failed"]
DEMO_ENDPOINT = "we_demo"


class StripeSimulator(Simulator):
    """A Stripe account on this machine, over real HTTP. No network beyond loopback.

    `port` 0 takes a free one. `state_file` keeps the account over a restart. `accepted_keys`
    narrows the secret keys, any `sk_test_…` unless given. `settle_seconds` is how long an
    asynchronous outcome takes. Webhooks leave for loopback and the hosts allowed later only.
    `refuse_retired` refuses parameters retired by the newest API version, `payment_method_types`.
    """

    world: World
    application: Application
    charge_path = "/v1/payment_intents"

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        state_file: Path | None = None,
        accepted_keys: Sequence[str] = (),
        settle_seconds: float = 0.5,
        refuse_retired: bool = False,
    ) -> None:
        self.secret_key = accepted_keys[0] if accepted_keys else "sk_test_simulator"
        self.publishable_key = "pk_test_simulator"
        self.webhook_secret = f"whsec_{token(32)}"
        world = World(state_file, settle_seconds)
        world.refuse_retired = refuse_retired
        super().__init__((host, port), world, webhooks.headers)
        self.application = Application(self.world, self.dispatcher, accepted_keys)
        self.application.control.simulator = self

    def register_webhook(
        self, url: str, secret: str | None = None, events: Sequence[str] = ("*",)
    ) -> str:
        """The id of a new endpoint, signed with `secret` or with `webhook_secret`."""
        with self.world.lock:
            signing = secret or self.webhook_secret
            endpoint = webhook_endpoints.register(self.world, url, signing, list(events))
            return str(endpoint["id"])

    def use_webhook(self, url: str, secret: str | None = None) -> None:
        """The one endpoint of a demo: a restart with a state file replaces it."""
        self.webhook_secret = secret or self.webhook_secret
        with self.world.lock:
            webhook_endpoints.register(self.world, url, self.webhook_secret, ["*"], DEMO_ENDPOINT)

    def remove_webhook(self, endpoint: str) -> None:
        with self.world.lock:
            webhook_endpoints.remove(self.world, endpoint)

    def roll_webhook_secret(self, endpoint: str, secret: str | None = None) -> str:
        """The new secret; deliveries carry a signature of the previous one as well."""
        content = {"endpoint": endpoint, **({"secret": secret} if secret else {})}
        return str(self._order("webhooks/roll_secret", content)["secret"])

    def dispute(
        self, payment_intent: str, reason: str = "fraudulent", amount: int | None = None
    ) -> JsonObject:
        """A new dispute, by default over all that was not refunded (minor units)."""
        content: JsonObject = {"payment_intent": payment_intent, "reason": reason}
        if amount is not None:
            content["amount"] = amount
        return self._order("dispute", content)

    def dispute_latest(self) -> JsonObject:
        """Dispute the latest payment that was taken. Raises LookupError if there is none."""
        with self.world.lock:
            charges = self.world.store.rows("charge")
            taken = [c for c in charges if c["captured"] and not c["disputed"]]
            return self.dispute(taken[0]["payment_intent"])

    def pay_out(self) -> list[JsonObject]:
        """Pay out all that isn't yet, one payout for each currency."""
        with self.world.lock:
            return copy.deepcopy(payouts.pay_out(self.world))

    def close_dispute(self, dispute: str, status: Literal["won", "lost"]) -> JsonObject:
        return self._order("dispute/close", {"dispute": dispute, "status": status})

    def finish_refund(self, refund: str, status: Outcome) -> JsonObject:
        """End an asynchronous refund now."""
        return self._order("refund/finish", {"refund": refund, "status": status})

    def complete_action(self, payment_intent: str, outcome: Outcome = "succeeded") -> JsonObject:
        """Finish 3-D Secure, or settle a bank debit, as the customer or the bank would."""
        content = {"payment_intent": payment_intent, "outcome": outcome}
        return self._order("complete_action", content)

    def complete_setup(self, setup_intent: str, outcome: Outcome = "succeeded") -> JsonObject:
        return self._order("complete_action", {"setup_intent": setup_intent, "outcome": outcome})

    def complete_checkout(self, session: str, payment_method: str = "pm_card_visa") -> JsonObject:
        """Pay a Checkout Session as the customer would. Raises StripeError for a decline."""
        content = {"session": session, "payment_method": payment_method}
        return self._order("complete_checkout", content)

    def renew_card(self, payment_method: str, exp_month: int, exp_year: int) -> JsonObject:
        """The bank renews a saved card, and its network tells Stripe."""
        content = {"exp_month": exp_month, "exp_year": exp_year}
        return self._order("card/renew", {"payment_method": payment_method, **content})

    def events(self, kind: str | None = None) -> list[JsonObject]:
        """The events so far, oldest first."""
        with self.world.lock:
            rows = self.world.store.tables.get("event", {}).values()
            return copy.deepcopy([row for row in rows if kind in (None, row["type"])])

    def state(self) -> JsonObject:
        """The ground truth: counts, and sums in minor units per currency."""
        return self.application.control.state()

    def reset(self) -> None:
        """Forget everything but the webhook endpoints."""
        self._order("reset", {})

    def _order(self, name: str, content: JsonObject) -> JsonObject:
        request = Request("POST", f"/_sim/{name}", "", json.dumps(content), {})
        answer: JsonObject = json.loads(self.application.control.answer(request).body)
        return answer
