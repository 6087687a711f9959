"""What happens to carts."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class VATNumberGiven(Event):
    """A shopper typed a VAT number: nothing counts it as valid before VIES has said so."""

    name: ClassVar[str] = "cart.vat_number_given"
    store: str
    number: str
