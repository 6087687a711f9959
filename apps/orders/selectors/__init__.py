from apps.orders.selectors import truths  # noqa: F401 (registers its checks)
from apps.orders.selectors.documents import order_json, summary_json
from apps.orders.selectors.reads import (
    has_ordered,
    is_being_packed,
    order_for_shopper,
    order_for_staff,
    orders_for_reading,
    orders_for_staff,
    split_off_of,
)

__all__ = [
    "has_ordered",
    "is_being_packed",
    "order_for_shopper",
    "order_for_staff",
    "order_json",
    "orders_for_reading",
    "orders_for_staff",
    "split_off_of",
    "summary_json",
]
