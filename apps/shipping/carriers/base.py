"""What a carrier is: five calls, plain data in and out. A carrier is a copied folder.

Carriers never touch the database. They are called outside of any transaction, in a thread of
their own, and go out by `apps.core.http` alone. Weights in grams, lengths in mm, amounts in minor
units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.core.remote import RemoteError


@dataclass(frozen=True, slots=True)
class Address:
    """For rates only the place is known; for labels the rest is, too."""

    country: str
    region: str = ""
    postal_code: str = ""
    city: str = ""
    line1: str = ""
    line2: str = ""
    name: str = ""
    company: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """Lengths are 0 where they aren't known; `volume` is mm³."""

    weight: int
    pieces: int = 1
    volume: int = 0
    length: int = 0
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class RateRequest:
    """What would it cost? In `currency`, if the carrier has a price in it.

    `own_price` is what the method's own table asks, before surcharges. An answer is awaited for
    `timeout` seconds.
    """

    currency: str
    origin: Address
    destination: Address
    packages: tuple[Package, ...]
    own_price: int | None = None
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class CarrierRate:
    service: str
    name: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class CustomsItem:
    """Pieces of one kind for the customs; `value` of all of them in minor units, `weight` too."""

    description: str
    quantity: int
    value: int
    currency: str
    weight: int = 0
    hs_code: str = ""
    origin: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """`key` makes the call repeatable: the same key buys one label, however often it is sent.

    `reference` has the numbers of the orders. `customs` is empty where none are crossed;
    `duties_paid` says that the sender bears them (DDP). `is_return`: a customer sends goods back,
    and `reference` is the number of their return.
    """

    key: str
    service: str
    origin: Address
    destination: Address
    package: Package
    reference: str = ""
    customs: tuple[CustomsItem, ...] = ()
    duties_paid: bool = False
    is_return: bool = False
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class Label:
    """A bought label. `document` is its bytes, of `content_type`; `carrier_name` is who brings
    the parcel, where a service stands between."""

    provider_id: str
    tracking_number: str
    tracking_url: str = ""
    document: bytes = b""
    content_type: str = "application/pdf"
    amount: int = 0
    currency: str = ""
    carrier_name: str = ""


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """`status` is one of in_transit, out_for_delivery, delivered, returned, failed, unknown."""

    at: datetime
    status: str
    message: str = ""
    location: str = ""


class CarrierError(RemoteError):
    """The carrier refused (permanent), or its answer is unknown."""


class InvalidSignature(Exception):
    """A webhook that the carrier didn't send."""


class Carrier(ABC):
    """One carrier. Every method may raise CarrierError."""

    # Whether its rates come over the network; if not, they are asked for whenever they're needed.
    remote = True

    @abstractmethod
    def rates(self, request: RateRequest) -> Sequence[CarrierRate]:
        """The services that take these packages, and their prices for all of them together."""

    def label(self, request: LabelRequest) -> Label:
        """Buy a label."""
        raise CarrierError("This carrier prints no labels.", permanent=True)

    def void(self, provider_id: str) -> None:
        """Give a label back that wasn't used. Doing so again changes nothing."""
        raise CarrierError("This carrier prints no labels.", permanent=True)

    def track(self, tracking_number: str, *, provider_id: str = "") -> Sequence[TrackingEvent]:
        """What happened to a parcel, in any order; `provider_id` of its label, if we bought it."""
        raise CarrierError("This carrier doesn't track.", permanent=True)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[str]:
        """The tracking numbers of which a verified webhook says that there is news.

        What the news are is asked by `track()`. Raises InvalidSignature, or ValueError.
        """
        raise InvalidSignature("This carrier sends no webhooks.")
