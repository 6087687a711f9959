"""What is personal of customers."""

from apps.core.personal import Where, deleted, emptied, impersonal, impersonal_texts
from apps.customers.models import (
    Address,
    Consent,
    Customer,
    CustomerEvent,
    CustomerFigures,
    CustomerGroup,
    CustomerTag,
    ErasureRequest,
    KeptRecord,
    PersonalExport,
    Segment,
)

impersonal(CustomerGroup, CustomerTag, KeptRecord, Segment)
impersonal_texts(CustomerFigures, "currency")
# The empty row stays: orders, and money that is still owed, hang on it.
emptied(
    Customer,
    Where(customer="pk"),
    forgets={
        "email": "",
        "first_name": "",
        "last_name": "",
        "phone": "",
        "note": "",
        "metadata": {},
        "accepts_marketing": False,
    },
    plain="language",
)
deleted(Address, Where(customer="customer"))
deleted(CustomerEvent, Where(customer="customer"), hidden="actor key")
deleted(Consent, Where(customer="customer"), hidden="visitor ip_hash")
deleted(PersonalExport, Where(customer="customer", email="email"), plain="file")
# What remains of a person: a keyed hash, and that it was done. It forgets the addresses at its end.
impersonal_texts(ErasureRequest, "subject emails asked_by waits_for")
