from apps.orders.services.lifecycle import (
    TransitionRefused,
    add_note,
    cancel,
    cancel_by_customer,
    cancel_expired,
    complete_delivered,
    confirm,
    keep_waiting,
    move_by_staff,
    transition,
)
from apps.orders.services.mails import send_cancellation, send_receipt
from apps.orders.services.placing import LineDraft, OrderDraft, create_order
from apps.orders.services.reports import (
    NothingToShip,
    record_delivery,
    record_event,
    record_payment,
    record_shipment,
)

__all__ = [
    "LineDraft",
    "NothingToShip",
    "OrderDraft",
    "TransitionRefused",
    "add_note",
    "cancel",
    "cancel_by_customer",
    "cancel_expired",
    "complete_delivered",
    "confirm",
    "create_order",
    "keep_waiting",
    "move_by_staff",
    "record_delivery",
    "record_event",
    "record_payment",
    "record_shipment",
    "send_cancellation",
    "send_receipt",
    "transition",
]
