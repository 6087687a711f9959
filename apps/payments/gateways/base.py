"""What a payment gateway is: a few calls, plain data in and out. A gateway is a copied folder.

Gateways never touch the database. They are called outside of any transaction, with keys that make
every call repeatable. Local tenders (gift cards, store credit) are the exception: their books are
tables of ours, so they take part in the transaction (docs/adr/0007-local-tenders.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.conf import settings


class State(StrEnum):
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class StartRequest:
    """`key` is the payment's public id: the idempotency key and the gateway's reference to us.

    `customer` is the gateway's own id of who pays, needed to save the `method` for later, and to
    use a saved one. `off_session`: the customer isn't here to answer the bank's questions; what
    would have to be asked is declined.
    """

    key: str
    amount: int
    currency: str
    description: str
    email: str
    method: str = ""
    return_url: str = ""
    customer: str = ""
    save_method: bool = False
    off_session: bool = False


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that the gateway keeps for a customer, by its own ids, as it may be shown."""

    method_id: str
    customer: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A payment as the gateway knows it now. Amounts in minor units, always the sums so far.

    AUTHORIZED as long as something can still be captured, CAPTURED once nothing can.
    `captures_several`: it can be captured in parts; else the first capture lets the rest go.
    `reference` is our key, given back, so that a webhook finds its payment.
    """

    provider_id: str
    state: State
    amount: int
    currency: str
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    reference: str = ""
    client_secret: str = ""
    redirect_url: str = ""
    error_code: str = ""
    error_message: str = ""
    is_test: bool = False
    # The customer agreed at the gateway; the money is taken by `complete`.
    approved: bool = False
    # What the gateway keeps for later; None before it was paid by, and where nothing is kept.
    saved: SavedCard | None = None
    captures_several: bool = False


@dataclass(frozen=True, slots=True)
class RefundState:
    provider_id: str
    # "pending", "succeeded" or "failed".
    status: str


@dataclass(frozen=True, slots=True)
class DisputeState:
    """`fee` is what the gateway charges for it, in minor units; `due_at` until when evidence can be
    given, ISO 8601 in UTC, "" for no more or not known."""

    provider_id: str
    amount: int
    reason: str
    status: str
    fee: int = 0
    due_at: str = ""


@dataclass(frozen=True, slots=True)
class PayoutState:
    """A payout as the gateway knows it now, in minor units. `status` is one of Payout.Status;
    `is_complete`: it has lines, and all of them are known."""

    provider_id: str
    amount: int
    currency: str
    arrives_on: date
    status: str
    is_complete: bool
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class PayoutLineState:
    """What a payout is made of; `net` is `gross` less `fee`. `kind` is one of PayoutLine.Kind.

    `payment_id` is the gateway's id of the payment it concerns, "" for none; `refund_id` the
    gateway's id of the refund.
    """

    provider_id: str
    kind: str
    gross: int
    fee: int
    net: int
    booked_at: datetime
    payment_id: str = ""
    refund_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified event: only a hint to look again. `provider_id` is "" if it isn't a payment's,
    `method_id` if it isn't a saved method's."""

    event_id: str
    type: str
    provider_id: str = ""
    method_id: str = ""
    dispute: DisputeState | None = None
    payload: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class BrowserForm:
    """The gateway's own form, which its script puts into a page of ours.

    `script` is that script's address, `driver` the static file of ours that speaks to it, `key`
    what both may know in public. `policy` are the sources that the page's content policy has to
    allow beside our own, by directive.
    """

    name: Any
    script: str
    driver: str
    key: str
    policy: Mapping[str, tuple[str, ...]]


class GatewayError(Exception):
    """The gateway refused, or its answer is unknown.

    permanent: it refused, asking again is useless. Not permanent: nobody knows what happened;
    the same call with the same key will tell.
    """

    def __init__(self, message: str, *, code: str = "gateway_error", permanent: bool) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


class InvalidSignature(Exception):
    """A webhook that the gateway didn't sign, or signed too long ago."""


class Gateway(ABC):
    """One gateway. Every method may raise GatewayError."""

    code: str
    # Spent by `apply_tenders` before the rest is paid; never chosen as the way to pay.
    is_tender = False
    # Its books are somebody else's, who is asked over the network.
    is_remote = True
    # It keeps methods for later: `create_customer`, `saved_card` and `detach` work.
    can_save = False
    # Codes of errors that say that there is no such payment.
    missing_codes: tuple[str, ...] = ()
    # Names of what an account of its own has to bring, and of settings that it may change.
    secrets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    # What the types of webhooks about money begin with: staff see those that name no payment.
    money_events: tuple[str, ...] = ()
    # It tells its payouts.
    tells_payouts = False
    # A webhook is verified by a call to it: forgers are kept from causing many.
    asks_to_verify = False

    def __init__(self, account: Mapping[str, str] | None = None) -> None:
        """`account` are the secrets and options of an account; None: those of the settings."""
        self._account = account

    def setting(self, name: str) -> str:
        """One of `secrets` or `options`. An account's secrets are never mixed with others."""
        if self._account is None or (name in self.options and not self._account.get(name)):
            return str(getattr(settings, name))
        return self._account.get(name, "")

    def listed(self, name: str) -> list[str]:
        """The same for a list; an account's is separated by commas."""
        if self._account is None:
            return list(getattr(settings, name))
        return [part for part in self.setting(name).replace(",", " ").split() if part]

    @property
    def is_configured(self) -> bool:
        """Whether it has the keys it needs; what isn't configured isn't offered."""
        return True

    @property
    def is_test_account(self) -> bool:
        """Whether its keys are those of a test account, where no money moves."""
        return False

    @property
    def address(self) -> str:
        """Where its API is, so that somebody can look whether it answers; "" for nowhere."""
        return ""

    @property
    def captures_shipments(self) -> bool:
        """Whether what it authorized is captured by itself, with each shipment its share."""
        return False

    @property
    def plain_methods(self) -> list[tuple[str, Any]]:
        """Methods that a form without scripts can offer: the gateway's token, and its name.

        None where the gateway's own script asks for the card.
        """
        return []

    @property
    def browser_form(self) -> BrowserForm | None:
        """The form of its own; it finishes a payment begun without a method, by `client_secret`."""
        return None

    @abstractmethod
    def start(self, request: StartRequest) -> GatewayState:
        """Begin a payment; with a `method`, also try to take the money.

        A declined method is a state (FAILED), not an error.
        """

    @abstractmethod
    def fetch(self, provider_id: str) -> GatewayState:
        """The payment as it is at the gateway now."""

    def complete(self, provider_id: str, *, key: str) -> GatewayState:
        """Take, or authorize, what the customer approved; only asked for a state that says so."""
        return self.fetch(provider_id)

    @abstractmethod
    def capture(
        self, provider_id: str, *, amount: int, key: str, final: bool = True
    ) -> GatewayState:
        """Take `amount` of what is authorized, and let the rest go.

        Not `final`: the rest stays, for another capture; only asked of what `captures_several`.
        """

    @abstractmethod
    def void(self, provider_id: str, *, key: str) -> GatewayState:
        """Let go of what is authorized and not captured, or end an unfinished payment."""

    @abstractmethod
    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        """Give `amount` of what was captured back, however many captures it takes."""

    def create_customer(self, *, key: str, email: str) -> str:
        """Make the gateway know a customer, for whom it keeps methods; its own id of them."""
        raise NotImplementedError

    def saved_card(self, method_id: str) -> SavedCard | None:
        """A saved method as it is at the gateway now; None if it isn't kept any more."""
        raise NotImplementedError

    def detach(self, method_id: str) -> None:
        """Keep a method no longer; nothing happens if it isn't kept."""
        raise NotImplementedError

    def payouts(self, *, since: date, until: date) -> Iterator[PayoutState]:
        """Those that arrive in these days, both included; only asked if it `tells_payouts`."""
        return iter(())

    def payout_lines(self, provider_id: str) -> Iterator[PayoutLineState]:
        """What a payout is made of, without the payout itself."""
        return iter(())

    def divide(self, provider_id: str, *, amount: int, key: str) -> str:
        """Make `amount` of a payment another one, which `key` names; its id here.

        Only asked of gateways that aren't remote: their books are ours, in our transaction.
        """
        raise GatewayError("It can't be divided.", code="indivisible", permanent=True)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Verify and read a webhook over its raw body. Raises InvalidSignature."""
        raise InvalidSignature(f"{self.code} has no webhooks.")
