from apps.payments.admin import (
    accounts,
    differences,
    gift_cards,
    pay_links,
    payments,
    saved_methods,
)

__all__ = ["accounts", "differences", "gift_cards", "pay_links", "payments", "saved_methods"]
from apps.payments.admin import payouts

__all__ = ["accounts", "differences", "gift_cards", "pay_links", "payments", "payouts"]
