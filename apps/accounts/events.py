"""What happens to accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class UsageClosed(Event):
    """A month of an API key is over. Once for each key and month in which it was called.

    `key_id` is the public id, `month` "2026-11", `amount` minor units of `currency` ("" without a
    plan) for the `billable_calls` over the plan's quota.
    """

    name: ClassVar[str] = "accounts.usage_closed"

    key_id: str
    key_name: str
    month: str
    calls: int
    billable_calls: int
    amount: int
    currency: str


@dataclass(frozen=True)
class PasswordForgotten(Event):
    """Somebody asked for a way back in; whether there is such an account, the receiver finds out.

    `email` is normalized, `store` the code of the store whose mail it will be, `key` this asking's.
    """

    name: ClassVar[str] = "account.password_forgotten"

    email: str
    store: str
    key: str


@dataclass(frozen=True)
class PasswordReset(Event):
    """A password was set by the link of a mail. `user_id` is the public id."""

    name: ClassVar[str] = "account.password_reset"

    user_id: str
    key: str


@dataclass(frozen=True)
class VerificationAsked(Event):
    """Somebody wants the mail again that proves their address. `user_id` is the public id."""

    name: ClassVar[str] = "account.verification_asked"

    user_id: str
    store: str
    key: str


@dataclass(frozen=True)
class EmailChangeAsked(Event):
    """Somebody wants `email` (normalized) to be their account's; it may be taken.

    `user_id` is the public id, `store` the code of the store whose mails it will be.
    """

    name: ClassVar[str] = "account.email_change_asked"

    user_id: str
    email: str
    store: str
    key: str


@dataclass(frozen=True)
class EmailChanged(Event):
    """An account has another address; its owner proved it. `user_id` is the public id."""

    name: ClassVar[str] = "account.email_changed"

    user_id: str
    key: str


@dataclass(frozen=True)
class SignedUp(Event):
    """Somebody made an account by that of a provider. `user_id` is the public id."""

    name: ClassVar[str] = "account.signed_up"

    user_id: str
    store: str


@dataclass(frozen=True)
class WayInAdded(Event):
    """A passkey, or the account of a provider, signs somebody in from now on.

    `user_id` is the public id, `way` what its owner calls it.
    """

    name: ClassVar[str] = "account.way_in_added"

    user_id: str
    way: str
    key: str


@dataclass(frozen=True)
class WayInRemoved(Event):
    """It does no more."""

    name: ClassVar[str] = "account.way_in_removed"

    user_id: str
    way: str
    key: str


@dataclass(frozen=True)
class EmailVerified(Event):
    """A mailbox was proved to be its account's. `user_id` is the public id."""

    name: ClassVar[str] = "account.email_verified"

    user_id: str
