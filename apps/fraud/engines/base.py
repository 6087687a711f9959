"""What an outside judge of checkouts is: one call, plain data in and out.

An engine never touches the database. It is called outside of any transaction, in a thread of its
own, and goes out by `apps.core.http` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from django.conf import settings

from apps.core.providers import provider
from apps.core.remote import RemoteError


@dataclass(frozen=True, slots=True)
class Facts:
    """A checkout. `total` is minor units; countries are ISO 3166-1; "" is what isn't known."""

    email: str
    ip: str
    billed_to: str
    shipped_to: str
    currency: str
    total: int
    # Checkouts by the same mailbox, and from the same address, by hours back; with this one.
    by_mail: dict[int, int] = field(default_factory=dict)
    by_ip: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opinion:
    """Points on the scale of the rules, and why in a few words."""

    points: int
    reason: str


class FraudEngineError(RemoteError):
    """The engine refused (permanent), or its answer is unknown."""


class FraudEngine(ABC):
    @abstractmethod
    def judge(self, facts: Facts) -> Opinion:
        """What the engine thinks of a checkout. Raises FraudEngineError."""


def fraud_engine(code: str) -> FraudEngine | None:
    """The engine that the settings know by this code; None where there is none any more."""
    path = settings.FRAUD_ENGINES.get(code)
    if path is None:
        return None
    found: FraudEngine = provider(path)
    return found
