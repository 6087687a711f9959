"""Reads of shipments, what carriers are asked, and the truths that must hold."""

from apps.fulfillment.selectors import truths as _truths  # noqa: F401
from apps.fulfillment.selectors.papers import customs_form, slips_pdf
from apps.fulfillment.selectors.reads import (
    in_parcel_of,
    living_labels,
    pick_lines,
    promised_at,
    set_aside,
    shipments_for_papers,
    shipments_for_reading,
)
from apps.fulfillment.selectors.requests import (
    LEAST_WEIGHT,
    carrier_address,
    customs_item,
    customs_items,
    duties_paid,
    is_border,
    label_request,
    place_address,
    shipment_duties,
)
from apps.fulfillment.selectors.together import companions

__all__ = [
    "LEAST_WEIGHT",
    "carrier_address",
    "companions",
    "customs_form",
    "customs_item",
    "customs_items",
    "duties_paid",
    "in_parcel_of",
    "is_border",
    "label_request",
    "living_labels",
    "pick_lines",
    "place_address",
    "promised_at",
    "set_aside",
    "shipment_duties",
    "shipments_for_papers",
    "shipments_for_reading",
    "slips_pdf",
]
