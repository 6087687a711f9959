from apps.payments.models.payments import Dispute, Payment, PaymentEntry, ProviderEvent, Refund
from apps.payments.models.stored_values import (
    GiftCard,
    GiftCardEmpty,
    GiftCardExpired,
    InvalidGiftCard,
    StoreCredit,
    StoredValue,
    StoredValueEntry,
    WrongCurrency,
)

__all__ = [
    "Dispute",
    "GiftCard",
    "GiftCardEmpty",
    "GiftCardExpired",
    "InvalidGiftCard",
    "Payment",
    "PaymentEntry",
    "ProviderEvent",
    "Refund",
    "StoreCredit",
    "StoredValue",
    "StoredValueEntry",
    "WrongCurrency",
]
