from apps.payments.admin import gift_cards, payments

__all__ = ["gift_cards", "payments"]
