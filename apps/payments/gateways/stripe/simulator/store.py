"""Everything the simulator remembers, with Stripe's ids. Callers hold the world's lock."""

from __future__ import annotations

from apps.payments.gateways.simulation import store as base
from apps.payments.gateways.simulation.store import token
from apps.payments.gateways.simulation.wire import JsonObject

from .errors import missing

PREFIXES = {
    "payment_intent": "pi_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "du_",
    "balance_transaction": "txn_",
    "payout": "po_",
    "customer": "cus_",
    "payment_method": "pm_",
    "setup_intent": "seti_",
    "webhook_endpoint": "we_",
    "event": "evt_",
    "checkout.session": "cs_test_",
}


class Store(base.Store):
    """The account's objects, by the ids that name their kind."""

    def named(self, kind: str, identifier: str, param: str = "id") -> JsonObject:
        """The object a path names. Raises StripeError (404 `resource_missing`)."""
        row = self.get(kind, identifier)
        if row is None:
            raise missing(kind.replace(".", " "), identifier, param, in_path=True)
        return row

    def referenced(self, kind: str, identifier: str, param: str) -> JsonObject:
        """The object a parameter names. Raises StripeError (400 `resource_missing`)."""
        row = self.get(kind, identifier)
        if row is None or row.get("deleted"):
            raise missing(kind.replace(".", " "), identifier, param)
        return row

    def find(self, identifier: str) -> JsonObject | None:
        """The object with that identifier, whatever its kind."""
        for kind, prefix in PREFIXES.items():
            if identifier.startswith(prefix):
                return self.get(kind, identifier)
        return None


def new_id(kind: str) -> str:
    return PREFIXES[kind] + token()
