from apps.orders.selectors import truths  # noqa: F401 (registers its checks)
from apps.orders.selectors.documents import order_json, summary_json
from apps.orders.selectors.reads import has_ordered, order_for_shopper, orders_for_reading

__all__ = ["has_ordered", "order_for_shopper", "order_json", "orders_for_reading", "summary_json"]
