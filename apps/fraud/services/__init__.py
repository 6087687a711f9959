from apps.fraud.services.deciding import AlreadyDecided, call_fraud, join_order, release
from apps.fraud.services.judging import CheckoutRefused, check_cart, forget_old
from apps.fraud.services.tuning import (
    InvalidFraudSettings,
    delete_rule,
    listed_values,
    save_rule,
    save_settings,
    stop_judging,
)

__all__ = [
    "AlreadyDecided",
    "CheckoutRefused",
    "InvalidFraudSettings",
    "call_fraud",
    "check_cart",
    "delete_rule",
    "forget_old",
    "join_order",
    "listed_values",
    "release",
    "save_rule",
    "save_settings",
    "stop_judging",
]
