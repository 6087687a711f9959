"""What happens to accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


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
class EmailVerified(Event):
    """A mailbox was proved to be its account's. `user_id` is the public id."""

    name: ClassVar[str] = "account.email_verified"

    user_id: str
