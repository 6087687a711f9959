"""What is personal of returns."""

from django.db.models import Q

from apps.core.personal import Where, deleted, emptied, impersonal
from apps.core.photos import files_of
from apps.returns import states
from apps.returns.models import (
    Inspection,
    ReturnEvent,
    ReturnLabel,
    ReturnPhoto,
    ReturnPolicy,
    ReturnRequest,
    Withdrawal,
)

_OF_ORDER = Where(customer="order__customer", email="order__email")
_OF_REQUEST = Where(customer="request__order__customer", email="request__order__email")
_OPEN = (states.REQUESTED, states.APPROVED, states.RECEIVED, states.INSPECTED)

impersonal(ReturnPolicy)
emptied(
    ReturnRequest,
    _OF_ORDER,
    forgets={"note": "", "reason": ""},
    plain="number",
    open=Q(status__in=_OPEN),
    waits=True,
)
emptied(
    ReturnEvent,
    _OF_REQUEST,
    forgets={"message": ""},
    plain="kind from_status to_status",
    hidden="actor",
    waits=True,
)
emptied(
    Inspection,
    Where(
        customer="line__request__order__customer",
        email="line__request__order__email",
    ),
    forgets={},
    plain="outcome",
    hidden="actor",
    waits=True,
)
emptied(
    ReturnLabel,
    _OF_REQUEST,
    forgets={"document": b"", "tracking_number": "", "tracking_url": "", "error": ""},
    plain="carrier service provider_id carrier_name currency content_type",
    waits=True,
)
deleted(ReturnPhoto, _OF_ORDER, waits=True, files=files_of)
emptied(Withdrawal, _OF_ORDER, forgets={"name": "", "email": ""}, plain="language", waits=True)
