"""What happens to returns. The names are the public webhook names; returns by public id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class ReturnRequested(Event):
    name: ClassVar[str] = "return.requested"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnPhotosAdded(Event):
    """Photos lie in quarantine, to be scanned and written anew."""

    name: ClassVar[str] = "return.photos_added"

    return_id: str


@dataclass(frozen=True)
class ReturnApproved(Event):
    """By the staff; a withdrawal by itself."""

    name: ClassVar[str] = "return.approved"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnDeclined(Event):
    name: ClassVar[str] = "return.declined"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnReceived(Event):
    name: ClassVar[str] = "return.received"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnCancelled(Event):
    """Given up by the customer."""

    name: ClassVar[str] = "return.cancelled"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnLabelBought(Event):
    """By which the customer sends it back."""

    name: ClassVar[str] = "return.label_bought"

    return_id: str
    order_number: str
    label_id: str


@dataclass(frozen=True)
class ReturnLabelUnwanted(Event):
    """A bought label is to be given back to its carrier."""

    name: ClassVar[str] = "return.label_unwanted"

    label_id: str


@dataclass(frozen=True)
class ReturnInTransit(Event):
    """The carrier has the parcel."""

    name: ClassVar[str] = "return.in_transit"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnArrived(Event):
    """As the carrier says; nobody has looked into the parcel yet."""

    name: ClassVar[str] = "return.arrived"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnExchanged(Event):
    """What it gives back is set against an order of other pieces."""

    name: ClassVar[str] = "return.exchanged"

    return_id: str
    order_number: str
    replacement_number: str


@dataclass(frozen=True)
class ReturnSettled(Event):
    """What is given back is decided and written down; the payment providers aren't asked yet."""

    name: ClassVar[str] = "return.settled"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ReturnRefunded(Event):
    """All of it was given back."""

    name: ClassVar[str] = "return.refunded"

    return_id: str
    order_number: str


@dataclass(frozen=True)
class ContractWithdrawn(Event):
    """A consumer withdrew from the contract (Directive 2011/83/EU, article 11a)."""

    name: ClassVar[str] = "contract.withdrawn"

    withdrawal_id: str
    order_number: str
