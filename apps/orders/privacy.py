"""What is personal of orders. The sale itself, with whom it was made, is a book of the business."""

from django.db.models import Q

from apps.core.personal import Reason, Where, deleted, emptied, impersonal, impersonal_texts
from apps.orders import states
from apps.orders.models import (
    Approval,
    ApprovalLimit,
    BulkItem,
    BulkJob,
    ExportRun,
    Order,
    OrderEdit,
    OrderEvent,
    OrderLine,
    OrderRule,
    OrderTag,
    OrderWord,
    SavedExport,
)

_OF_ORDER = Where(customer="order__customer", email="order__email")

impersonal(ApprovalLimit, OrderRule, OrderTag)
# Files of a week, and what staff chose for them.
impersonal_texts(SavedExport, "name filters")
impersonal_texts(ExportRun, "period filters file error")
impersonal_texts(BulkJob, "verb data error")
impersonal_texts(BulkItem, "code message")
emptied(
    Order,
    Where(customer="customer", email="email"),
    forgets={"email": "", "email_key": "", "customer_note": "", "metadata": {}},
    keeps={"shipping_address": {}, "billing_address": {}},
    reason=Reason.TAX,
    country="store__country",
    plain=(
        "number currency quote shipping_method shipping_method_name tax_scheme tax_country"
        " tax_note exchange_rates language source"
    ),
    hidden="token",
    open=Q(status__in=states.OPEN_STATES | {states.SHIPPED}),
    waits=True,
)
emptied(OrderLine, _OF_ORDER, forgets={"gift_card": {}}, plain="sku name options", waits=True)
emptied(
    OrderEvent,
    _OF_ORDER,
    forgets={"message": "", "data": {}},
    plain="kind from_status to_status",
    # Staff, by their addresses.
    hidden="actor",
    waits=True,
)
emptied(
    Approval,
    _OF_ORDER,
    forgets={"reason": "", "note": ""},
    plain="verb arguments",
    waits=True,
)
emptied(
    OrderEdit,
    _OF_ORDER,
    forgets={"changes": {}, "before": {}, "reason": ""},
    plain="version",
    hidden="author",
    waits=True,
)
deleted(OrderWord, _OF_ORDER, waits=True)
