from apps.pricing.selectors.derived import (
    Conversion,
    FrozenRate,
    conversion_for,
    derived_currencies,
    rounded,
)
from apps.pricing.selectors.explaining import REASONS, Explained, explain_quote, explain_stored
from apps.pricing.selectors.history import prior_prices, reference_prices
from apps.pricing.selectors.prices import (
    ComingChange,
    ResolvedPrice,
    Tier,
    coming_change,
    coming_changes,
    prices_for,
)

__all__ = [
    "REASONS",
    "ComingChange",
    "Conversion",
    "Explained",
    "FrozenRate",
    "ResolvedPrice",
    "Tier",
    "coming_change",
    "coming_changes",
    "conversion_for",
    "derived_currencies",
    "explain_quote",
    "explain_stored",
    "prices_for",
    "prior_prices",
    "reference_prices",
    "rounded",
]
