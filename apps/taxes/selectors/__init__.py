"""Reads of the taxes: which a sale bears, where and why."""

from apps.taxes.engines.rates import PlaceRate
from apps.taxes.selectors.deciding import (
    TaxAnswer,
    TaxQuestion,
    decide,
    engine_question,
    rates_in,
)
from apps.taxes.selectors.external import EngineQuestion, read_answer
from apps.taxes.selectors.vat import CHECK_VALIDITY, newest_check, split_vat_number

__all__ = [
    "CHECK_VALIDITY",
    "EngineQuestion",
    "PlaceRate",
    "TaxAnswer",
    "TaxQuestion",
    "decide",
    "engine_question",
    "newest_check",
    "rates_in",
    "read_answer",
    "split_vat_number",
]
