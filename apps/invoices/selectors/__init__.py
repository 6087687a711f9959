from apps.invoices.selectors import truths  # noqa: F401 (registers its checks)
from apps.invoices.selectors.documents import invoice_json
from apps.invoices.selectors.drafting import seller_is_complete, settings_of
from apps.invoices.selectors.reads import invoice_of, invoices_of, orders_due
from apps.invoices.selectors.truths import drifting_orders
from apps.invoices.selectors.worth import worth

__all__ = [
    "drifting_orders",
    "invoice_json",
    "invoice_of",
    "invoices_of",
    "orders_due",
    "seller_is_complete",
    "settings_of",
    "worth",
]
