"""What other rooms may hear of promotions."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class CataloguePricesChanged(Event):
    """A promotion that sets the prices of lists was made, changed or ended."""

    name: ClassVar[str] = "promotion.catalogue_prices_changed"
    promotion: str


@dataclass(frozen=True)
class CodesWanted(Event):
    """A batch of codes was asked for that is too large to be made at once."""

    name: ClassVar[str] = "promotion.codes_wanted"
    promotion_id: int
    batch: str
    count: int
    prefix: str
    length: int
