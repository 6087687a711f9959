from apps.fraud.services.deciding import AlreadyDecided, call_fraud, join_order, release
from apps.fraud.services.judging import CheckoutRefused, check_cart, forget_old

__all__ = [
    "AlreadyDecided",
    "CheckoutRefused",
    "call_fraud",
    "check_cart",
    "forget_old",
    "join_order",
    "release",
]
