from apps.orders.admin import (  # noqa: F401 (register)
    approvals,
    bulk,
    buttons,
    edits,
    exports,
    oss,
    rules,
    tags,
)
from apps.orders.admin.orders import STATUS_COLOURS

__all__ = ["STATUS_COLOURS"]
