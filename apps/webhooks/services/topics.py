"""What others may be told of.

The names and the fields are public: an integration is built on them. They hold ids, codes and
numbers, and nothing personal: who is told asks the API for the rest, with the rights they have.
"""

from __future__ import annotations

from apps.core.events import Event
from apps.customers.events import CustomerRegistered, CustomersMerged
from apps.fulfillment.events import (
    FulfillmentDelivered,
    FulfillmentFailed,
    FulfillmentReturned,
    FulfillmentShipped,
)
from apps.inventory.events import StockChanged
from apps.invoices.events import InvoiceIssued
from apps.orders.events import (
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrderPlaced,
    OrdersCombined,
    OrderSplit,
)
from apps.payments.events import PaymentRefunded
from apps.pricing.events import PriceChanged
from apps.products.events import ProductChanged, ProductDeleted, ProductsChanged
from apps.returns.events import (
    ReturnApproved,
    ReturnCancelled,
    ReturnDeclined,
    ReturnExchanged,
    ReturnReceived,
    ReturnRefunded,
    ReturnRequested,
)
from apps.reviews.events import ReviewPublished

EVENTS: tuple[type[Event], ...] = (
    CustomerRegistered,
    CustomersMerged,
    FulfillmentDelivered,
    FulfillmentFailed,
    FulfillmentReturned,
    FulfillmentShipped,
    InvoiceIssued,
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrderPlaced,
    OrdersCombined,
    OrderSplit,
    PaymentRefunded,
    PriceChanged,
    ProductChanged,
    ProductDeleted,
    ProductsChanged,
    ReturnApproved,
    ReturnCancelled,
    ReturnDeclined,
    ReturnExchanged,
    ReturnReceived,
    ReturnRefunded,
    ReturnRequested,
    ReviewPublished,
    StockChanged,
)
TOPICS = tuple(sorted(event.name for event in EVENTS))
# Sent by hand, whatever an endpoint has chosen.
TEST = "webhook.test"
