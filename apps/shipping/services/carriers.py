"""Asks carriers for their prices, before anything is quoted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction

from apps.shipping.carriers import carrier
from apps.shipping.carriers.base import Carrier, CarrierError, RateRequest
from apps.shipping.carriers.breaker import Breaker
from apps.shipping.engines.tables import Parcel
from apps.shipping.models import ShippingMethod
from apps.shipping.selectors.methods import methods_to
from apps.shipping.selectors.rates import rate_key, read_rates, request_of
from apps.stores.models import Store

logger = logging.getLogger(__name__)
# Seconds for which an answer isn't asked for again, and for which it can be ordered at.
FRESH, KEPT = 15 * 60, 2 * 60 * 60
# Seconds a shopper waits for all carriers together.
PATIENCE = 6.0
MAX_CARRIERS = 8


class CalledInTransaction(RuntimeError):
    """Carriers aren't asked while rows are locked."""


@dataclass(frozen=True, slots=True)
class _Question:
    code: str
    carrier: Carrier
    request: RateRequest
    key: str


def refresh_rates(
    *, store: Store, currency: str, address: Mapping[str, str], parcel: Parcel, at: datetime
) -> int:
    """Ask the carriers of the methods to an address, all at once; the number that answered.

    Answers are cached by place and parcel, and asked for again after 15 minutes; a quote reads
    them for two hours (`selectors.table_for`). A carrier that fails, or is left alone because it
    failed before, changes nothing: its methods fall back to their own rates. Never raises for a
    carrier; raises CalledInTransaction inside of a transaction if there is one to ask.
    """
    methods = methods_to(store=store, currency=currency, address=address)
    questions = _questions(methods, currency, address, parcel, at.timestamp())
    if not questions:
        return 0
    _refuse_transaction()
    questions = [q for q in questions if Breaker(q.code).allows()][:MAX_CARRIERS]
    if not questions:
        return 0
    pool = ThreadPoolExecutor(len(questions), thread_name_prefix="carrier")
    asked = {pool.submit(_rates, q): q for q in questions}
    wait(asked, timeout=PATIENCE)
    # Who is late is no longer waited for.
    pool.shutdown(wait=False, cancel_futures=True)
    return sum(_keep(question, future, at.timestamp()) for future, question in asked.items())


def _questions(
    methods: list[ShippingMethod],
    currency: str,
    address: Mapping[str, str],
    parcel: Parcel,
    now: float,
) -> list[_Question]:
    """One for each carrier that has not been asked lately."""
    found: dict[str, _Question] = {}
    for method in methods:
        who = carrier(method.carrier)
        if who is None or not who.remote or method.carrier in found:
            continue
        request = request_of(method=method, currency=currency, address=address, parcel=parcel)
        key = rate_key(method.carrier, request)
        known = read_rates(key)
        if known is None or known["at"] + FRESH <= now:
            found[method.carrier] = _Question(method.carrier, who, request, key)
    return list(found.values())


def _refuse_transaction() -> None:
    try:
        # Django's own check, which knows the transactions that tests run in.
        with transaction.atomic(durable=True):
            pass
    except RuntimeError as error:
        raise CalledInTransaction("refresh_rates() was called inside a transaction.") from error


def _rates(question: _Question) -> dict[str, int]:
    rates = question.carrier.rates(question.request)
    return {r.service: r.amount for r in rates if r.currency == question.request.currency}


def _keep(question: _Question, future: Future[dict[str, int]], now: float) -> bool:
    breaker = Breaker(question.code)
    error = future.exception() if future.done() and not future.cancelled() else TimeoutError()
    refused = isinstance(error, CarrierError) and error.permanent
    if error is not None and not refused:
        logger.warning("carrier %s failed: %s", question.code, type(error).__name__)
        breaker.failed()
        return False
    breaker.succeeded()
    rates: dict[str, Any] | None = None if refused else future.result()
    cache.set(question.key, {"at": now, "rates": rates}, timeout=KEPT)
    return not refused
