from apps.payments.models.accounts import GatewayAccount
from apps.payments.models.differences import ReconciliationDifference
from apps.payments.models.pay_links import PayLink
from apps.payments.models.payments import (
    Capture,
    Dispute,
    Payment,
    PaymentEntry,
    ProviderEvent,
    Refund,
)
from apps.payments.models.payouts import Payout, PayoutLine
from apps.payments.models.saved_methods import SavedMethod
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
    "Capture",
    "Dispute",
    "GatewayAccount",
    "GiftCard",
    "GiftCardEmpty",
    "GiftCardExpired",
    "InvalidGiftCard",
    "PayLink",
    "Payment",
    "PaymentEntry",
    "Payout",
    "PayoutLine",
    "ProviderEvent",
    "ReconciliationDifference",
    "Refund",
    "SavedMethod",
    "StoreCredit",
    "StoredValue",
    "StoredValueEntry",
    "WrongCurrency",
]
