"""Asks a store's tax engine for its rates, before anything is quoted."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from apps.core.remote import ask_all
from apps.taxes.engines.external import checked, tax_engine
from apps.taxes.selectors import TaxQuestion, engine_question, read_answer

# Seconds for which an answer can be ordered at while the engine fails.
KEPT = 7 * 24 * 60 * 60
# Seconds a shopper waits.
PATIENCE = 3.5


def ask_engine(question: TaxQuestion) -> bool:
    """Have the engine of a store's tax settings say its rates; whether it was asked and did.

    `decide()` reads its answer, for a week while the engine fails. After an hour it is asked for
    again. An engine that fails, is late, or is left alone because it failed before changes
    nothing. Raises CalledInTransaction if there is one to ask.
    """
    asked = engine_question(question)
    engine = asked and tax_engine(asked.engine)
    if asked is None or engine is None:
        return False
    known = read_answer(asked)
    if known is not None and known.is_fresh:
        return False

    def rates() -> dict[str, list[tuple[str, str]]]:
        return checked(engine.rates(asked.asked), asked.asked.tax_classes)

    name = f"tax-engine:{asked.engine}"
    answer = ask_all({name: rates}, patience=PATIENCE).get(name)
    if answer is None:
        return False
    cache.set(asked.key, {"at": timezone.now().timestamp(), "rates": answer}, timeout=KEPT)
    return True
