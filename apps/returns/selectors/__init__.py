from apps.returns.selectors import truths  # noqa: F401 (registers its checks)
from apps.returns.selectors.documents import (
    estimate_json,
    return_json,
    returns_for_reading,
    terms_json,
)
from apps.returns.selectors.exchanges import Choice, exchanges_of
from apps.returns.selectors.labels import label_document, label_request
from apps.returns.selectors.photos import PHOTO_TYPE, photo_json, read_photo
from apps.returns.selectors.refunds import (
    Estimate,
    estimate,
    paid_for_lines,
    pieces_of,
    settled_pieces,
)
from apps.returns.selectors.terms import WITHDRAWAL_DAYS, Terms, last_day, terms_of

__all__ = [
    "PHOTO_TYPE",
    "WITHDRAWAL_DAYS",
    "Choice",
    "Estimate",
    "Terms",
    "estimate",
    "estimate_json",
    "exchanges_of",
    "label_document",
    "label_request",
    "last_day",
    "paid_for_lines",
    "photo_json",
    "pieces_of",
    "read_photo",
    "return_json",
    "returns_for_reading",
    "settled_pieces",
    "terms_json",
    "terms_of",
]
