"""What happens to customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class CustomerRegistered(Event):
    """Somebody made an account. `customer_id` is the public id, `store` a store's code."""

    name: ClassVar[str] = "customer.registered"

    customer_id: str
    store: str


@dataclass(frozen=True)
class CustomersMerged(Event):
    """`merged_id` is gone; everything that was theirs is that of `customer_id`. Public ids."""

    name: ClassVar[str] = "customer.merged"

    customer_id: str
    merged_id: str


@dataclass(frozen=True)
class ErasureAsked(Event):
    """A customer is to be forgotten. `customer_id` is the public id."""

    name: ClassVar[str] = "customer.erasure_asked"

    customer_id: str


@dataclass(frozen=True)
class PersonalExportAsked(Event):
    """Somebody wants a copy of their data. `export_id` is the public id of the copy to be."""

    name: ClassVar[str] = "customer.export_asked"

    export_id: str


@dataclass(frozen=True)
class PrivacyAsked(Event):
    """Somebody without an account asked for a copy ("export"), or to be forgotten ("erase").

    Whether anything is known of `email`, the receiver finds out. `store` is the code of the store
    whose mail it will be, `key` this asking's.
    """

    name: ClassVar[str] = "customer.privacy_asked"

    email: str
    wish: str
    store: str
    key: str
