from apps.customers.selectors.accounts import account_context, wish_context
from apps.customers.selectors.customers import customer_called, group_id_of, known_customers
from apps.customers.selectors.duplicates import duplicates_of
from apps.customers.selectors.segments import (
    FIELDS,
    MOST_CONDITIONS,
    InvalidSegment,
    check_conditions,
    matching,
    segments_of,
)

__all__ = [
    "FIELDS",
    "MOST_CONDITIONS",
    "InvalidSegment",
    "account_context",
    "check_conditions",
    "customer_called",
    "duplicates_of",
    "group_id_of",
    "known_customers",
    "matching",
    "segments_of",
    "wish_context",
]
