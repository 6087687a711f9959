"""Asks carriers for their prices, before anything is quoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial

from django.core.cache import cache

from apps.core.remote import ask_all
from apps.shipping.carriers import carrier
from apps.shipping.carriers.base import Carrier, CarrierError, RateRequest
from apps.shipping.engines.tables import Parcel, Part
from apps.shipping.selectors.methods import methods_to
from apps.shipping.selectors.rates import rate_key, read_rates, request_of
from apps.stores.models import Store

# Seconds for which an answer isn't asked for again, and for which it can be ordered at.
FRESH, KEPT = 15 * 60, 2 * 60 * 60
# Seconds a shopper waits for all carriers together.
PATIENCE = 6.0


def refresh_rates(
    *,
    store: Store,
    currency: str,
    address: Mapping[str, str],
    parcel: Parcel,
    at: datetime,
    parts: Callable[[], Sequence[Part]] = tuple,
) -> int:
    """Ask the carriers of the methods to an address, all at once; the number of answers.

    Methods that are priced for each location ask for `parts()`, the others for the whole parcel.
    Answers are cached by place and parcel, and asked for again after 15 minutes; a quote reads
    them for two hours (`selectors.table_for`). A carrier that fails, or is left alone because it
    failed before, changes nothing: its methods fall back to their own rates. Never raises for a
    carrier; raises CalledInTransaction inside of a transaction if there is one to ask.
    """
    parts = lru_cache(parts)
    asked: dict[str, tuple[Carrier, dict[str, RateRequest]]] = {}
    whole = Part("", "", parcel)
    for method in methods_to(store=store, currency=currency, address=address):
        who = carrier(method.carrier)
        if who is None or not who.remote:
            continue
        for part in parts() if method.per_location else (whole,):
            request = request_of(
                method=method,
                currency=currency,
                address=address,
                parcel=part.parcel,
                origin=part.country,
            )
            key = rate_key(method.carrier, request)
            known = read_rates(key)
            if known is None or known["at"] + FRESH <= at.timestamp():
                asked.setdefault(method.carrier, (who, {}))[1][key] = request
    if not asked:
        return 0
    calls = {f"carrier:{code}": partial(_answers, *each) for code, each in asked.items()}
    answered = 0
    for answers in ask_all(calls, patience=PATIENCE).values():
        for key, rates in answers.items():
            cache.set(key, {"at": at.timestamp(), "rates": rates}, timeout=KEPT)
            answered += rates is not None
    return answered


def _answers(who: Carrier, requests: Mapping[str, RateRequest]) -> dict[str, dict[str, int] | None]:
    """A carrier's prices by service, for each request by its key; None for what it refuses."""
    found: dict[str, dict[str, int] | None] = {}
    for key, request in requests.items():
        try:
            rates = who.rates(request)
        except CarrierError as error:
            if not error.permanent:
                raise
            found[key] = None
            continue
        found[key] = {r.service: r.amount for r in rates if r.currency == request.currency}
    return found
