"""What happens to payments."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class PaymentUnwanted(Event):
    """Money arrived, or may still arrive, for an order that is cancelled."""

    name: ClassVar[str] = "payment.unwanted"
    payment_id: str


@dataclass(frozen=True)
class PaymentRefunded(Event):
    name: ClassVar[str] = "payment.refunded"
    refund_id: str


@dataclass(frozen=True)
class RefundedElsewhere(Event):
    """Money went back that no refund of ours asked for: at the provider's dashboard."""

    name: ClassVar[str] = "payment.refunded_elsewhere"
    order_id: str


@dataclass(frozen=True)
class SavedMethodDeclined(Event):
    """A saved method was charged while the customer wasn't here, and didn't pay."""

    name: ClassVar[str] = "payment.saved_method_declined"
    payment_id: str


@dataclass(frozen=True)
class ProviderEventReceived(Event):
    """A verified webhook lies in the inbox."""

    name: ClassVar[str] = "payment.provider_event"
    gateway: str
    event_id: str
