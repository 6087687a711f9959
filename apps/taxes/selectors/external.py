"""Tax engines' answers, as far as they are known: nothing here waits for an engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from apps.taxes.engines.external import Place, RatesQuestion
from apps.taxes.engines.rates import PlaceRate
from apps.taxes.engines.territories import Territory
from apps.taxes.models import TaxClass

# Seconds after which an answer is asked for again; until then it is more than the last good one.
FRESH = 60 * 60


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """The rates by tax class, and when the engine said so."""

    rates: Mapping[str, tuple[PlaceRate, ...]]
    at: datetime

    @property
    def is_fresh(self) -> bool:
        return (timezone.now() - self.at).total_seconds() < FRESH


@dataclass(frozen=True, slots=True)
class EngineQuestion:
    engine: str
    asked: RatesQuestion

    @property
    def key(self) -> str:
        """Under which the answer is cached; equal questions have one."""
        asked = json.dumps([self.engine, asdict(self.asked)], default=str)
        return f"taxes:engine:{hashlib.sha256(asked.encode()).hexdigest()}"

    def facts(self, answer: EngineAnswer | None) -> dict[str, Any]:
        """For the explanation: whether the rates are the engine's, its last good ones (older than
        an hour, since it fails), or the table's."""
        if answer is None:
            return {"engine": self.engine, "rates_of": "table"}
        rates_of = "engine" if answer.is_fresh else "last_good"
        return {"engine": self.engine, "rates_of": rates_of, "at": answer.at.isoformat()}


def question_of(
    *,
    engine: str,
    origin: Territory,
    destination: Territory,
    address: Mapping[str, str],
    on: date,
) -> EngineQuestion:
    """One query: the classes there are."""
    return EngineQuestion(
        engine,
        RatesQuestion(
            origin=Place(origin.country, origin.region, origin.postal_code),
            destination=Place(
                destination.country,
                destination.region,
                destination.postal_code,
                address.get("city", ""),
                address.get("line1", ""),
            ),
            on=on,
            tax_classes=tuple(TaxClass.objects.order_by("code").values_list("code", flat=True)),
        ),
    )


def read_answer(question: EngineQuestion) -> EngineAnswer | None:
    """What the engine said last; None if that isn't known (any more)."""
    found = cache.get(question.key)
    if not isinstance(found, dict):
        return None
    place = question.asked.destination
    rates = {
        code: tuple(
            PlaceRate(code, place.country, place.region, name, Decimal(percent))
            for name, percent in of_class
        )
        for code, of_class in found["rates"].items()
    }
    return EngineAnswer(rates, datetime.fromtimestamp(found["at"], UTC))
