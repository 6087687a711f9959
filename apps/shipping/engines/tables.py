"""What a method costs for a parcel, by its table. Pure: no database, no clock, no settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from apps.core.money import round_half_up
from apps.shipping.engines.zones import Level, Place, level

GRAMS = 1000


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent: grams, pieces, mm³, and the worth of the goods after discounts in minor units.

    `volume` is the sum of length times width times height of the pieces.
    """

    weight: int
    goods: int
    pieces: int = 0
    volume: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What one location sends of an order. `country` is where it lies."""

    location: str
    country: str
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class Band:
    """A row of a shipping table: a price for parcels whose weight, worth and number of pieces lie
    within its bounds (min <= x < max).

    Weights are chargeable ones, in grams. Goods of `free_above` ship free; up to a weight of
    `free_max_weight`, if that is set. `per_kg` is added for each started kilogram beyond
    `min_weight`.
    """

    price: int
    min_weight: int = 0
    max_weight: int | None = None
    free_above: int | None = None
    free_max_weight: int | None = None
    per_kg: int = 0
    min_value: int = 0
    max_value: int | None = None
    min_pieces: int = 0
    max_pieces: int | None = None

    def fits(self, weight: int, parcel: Parcel) -> bool:
        """Whether the band is for a parcel of this chargeable weight."""
        return (
            _within(weight, self.min_weight, self.max_weight)
            and _within(parcel.goods, self.min_value, self.max_value)
            and _within(parcel.pieces, self.min_pieces, self.max_pieces)
        )


def _within(number: int, low: int, high: int | None) -> bool:
    return low <= number and (high is None or number < high)


@dataclass(frozen=True, slots=True)
class Surcharge:
    """A named addition: `amount` in minor units, or `percent` of the price without additions.

    With `places` (patterns of engines/zones.py) it is due there alone; with `over_weight` only
    for a chargeable weight of more than so many grams.
    """

    name: str
    amount: int = 0
    percent: Decimal = Decimal(0)
    places: tuple[str, ...] = ()
    over_weight: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A method's prices in one currency.

    `divisor` (cm³ per kilogram, e.g. 5000; 0: none) makes volumetric weights; `weight_step`
    (grams; 0: none) rounds chargeable weights up. `quoted` is a carrier's price, which stands for
    that of the bands; `fallback` tells why the bands stand for a carrier's price.
    """

    code: str
    name: str
    bands: tuple[Band, ...]
    divisor: int = 0
    weight_step: int = 0
    surcharges: tuple[Surcharge, ...] = ()
    quoted: int | None = None
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the sum; the amounts of all steps add up to the price."""

    step: str
    amount: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        return {"step": self.step, "amount": self.amount, **self.facts}


class NoShippingRate(ValueError):
    """The method has no price for this parcel."""


def cost(table: Table, parcel: Parcel, place: Place | None = None) -> int:
    """The price of a method for a parcel, in minor units, before any tax on top.

    Without a place, surcharges of places aren't due. Raises NoShippingRate when no band fits.
    """
    return sum(step.amount for step in explain(table, parcel, place))


def at(table: Table, place: Place) -> Table:
    """The table as it is for one place: `cost(at(t, p), x) == cost(t, x, p)`."""
    due = (replace(s, places=()) for s in table.surcharges if _due_at(s, place))
    return replace(table, surcharges=tuple(due))


def volumetric_weight(volume: int, divisor: int) -> int:
    """Grams for a volume of mm³ at so many cm³ per kilogram, rounded up."""
    # mm³ / 1000 are cm³; cm³ / divisor are kilograms; times 1000 they are grams.
    return -(-volume // divisor) if divisor else 0


def chargeable_weight(table: Table, parcel: Parcel) -> int:
    """Grams: the greater of actual and volumetric weight, rounded up to the table's step."""
    weight = max(parcel.weight, volumetric_weight(parcel.volume, table.divisor))
    step = table.weight_step
    return -(-weight // step) * step if step else weight


def explain(table: Table, parcel: Parcel, place: Place | None = None) -> tuple[Step, ...]:
    """How a price comes about: weight, band (or carrier), per_kg, free, surcharges.

    Raises NoShippingRate when no band fits.
    """
    weight = chargeable_weight(table, parcel)
    steps = [_weight_step(table, parcel, weight)]
    if table.fallback:
        steps.append(Step("fallback", 0, {"reason": table.fallback}))
    band = next((band for band in table.bands if band.fits(weight, parcel)), None)
    if table.quoted is not None:
        steps.append(Step("carrier", table.quoted))
    elif band is None:
        raise NoShippingRate(table.code)
    else:
        steps += _band_steps(band, weight)
    if band is not None and _is_free(band, weight, parcel):
        facts = {"free_above": band.free_above, "free_max_weight": band.free_max_weight}
        steps.append(Step("free", -sum(step.amount for step in steps), facts))
    base = sum(step.amount for step in steps)
    return (*steps, *(_surcharge_step(s, base) for s in table.surcharges if _due(s, weight, place)))


def _weight_step(table: Table, parcel: Parcel, weight: int) -> Step:
    volumetric = volumetric_weight(parcel.volume, table.divisor)
    facts = {"actual": parcel.weight, "volumetric": volumetric, "chargeable": weight}
    return Step("weight", 0, facts)


def _band_steps(band: Band, weight: int) -> list[Step]:
    bounds = {
        name: value
        for name in (
            "min_weight",
            "max_weight",
            "min_value",
            "max_value",
            "min_pieces",
            "max_pieces",
        )
        if (value := getattr(band, name))
    }
    steps = [Step("band", band.price, bounds)]
    kilograms = -(-(weight - band.min_weight) // GRAMS)
    if band.per_kg and kilograms:
        facts = {"kilograms": kilograms, "per_kg": band.per_kg}
        steps.append(Step("per_kg", kilograms * band.per_kg, facts))
    return steps


def _is_free(band: Band, weight: int, parcel: Parcel) -> bool:
    if band.free_above is None or parcel.goods < band.free_above:
        return False
    return band.free_max_weight is None or weight <= band.free_max_weight


def _due_at(surcharge: Surcharge, place: Place | None) -> bool:
    if not surcharge.places:
        return True
    return place is not None and level(surcharge.places, place) is not Level.NOWHERE


def _due(surcharge: Surcharge, weight: int, place: Place | None) -> bool:
    heavy = surcharge.over_weight is None or weight > surcharge.over_weight
    return heavy and _due_at(surcharge, place)


def _surcharge_step(surcharge: Surcharge, base: int) -> Step:
    amount = surcharge.amount + round_half_up(base * surcharge.percent / 100)
    facts: dict[str, Any] = {"name": surcharge.name}
    if surcharge.percent:
        facts["percent"] = f"{surcharge.percent.normalize():f}"
    return Step("surcharge", amount, facts)
