"""Which methods ship to an address, for how much, until when, and where to fetch it."""

from apps.shipping.engines.duties import Duties, Goods
from apps.shipping.engines.estimates import Estimate
from apps.shipping.engines.zones import EVERYWHERE
from apps.shipping.selectors.duties import duties_json, estimate_duties
from apps.shipping.selectors.estimates import estimate_for
from apps.shipping.selectors.methods import methods_to
from apps.shipping.selectors.points import pickup_point, points_for
from apps.shipping.selectors.rates import cached_rate, table_for
from apps.shipping.selectors.trying import Tried, belongs, tried

__all__ = [
    "EVERYWHERE",
    "Duties",
    "Estimate",
    "Goods",
    "Tried",
    "belongs",
    "cached_rate",
    "duties_json",
    "estimate_duties",
    "estimate_for",
    "methods_to",
    "pickup_point",
    "points_for",
    "table_for",
    "tried",
]
