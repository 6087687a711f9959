from apps.orders.models.approvals import Approval, ApprovalLimit
from apps.orders.models.desk import (
    BulkItem,
    BulkJob,
    ExportRun,
    OrderRule,
    OrderTag,
    OrderWord,
    SavedExport,
)
from apps.orders.models.orders import Order, OrderEdit, OrderEvent, OrderLine, new_token

__all__ = [
    "Approval",
    "ApprovalLimit",
    "BulkItem",
    "BulkJob",
    "ExportRun",
    "Order",
    "OrderEdit",
    "OrderEvent",
    "OrderLine",
    "OrderRule",
    "OrderTag",
    "OrderWord",
    "SavedExport",
    "new_token",
]
