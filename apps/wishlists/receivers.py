"""When to look whether somebody who waits can be told."""

from apps.core.events import receives
from apps.inventory.events import StockChanged
from apps.pricing.events import PriceChanged
from apps.promotions.events import CataloguePricesChanged
from apps.wishlists.models import Alert
from apps.wishlists.services import merging, telling  # noqa: F401 (register)


@receives(StockChanged)
def tell_back_in_stock(event: StockChanged) -> None:
    telling.tell_about(kind=Alert.Kind.STOCK, product_ids=event.product_ids)


@receives(PriceChanged)
def tell_cheaper(event: PriceChanged) -> None:
    telling.tell_about(kind=Alert.Kind.PRICE, product_ids=event.product_ids)


@receives(CataloguePricesChanged)
def tell_promoted(event: CataloguePricesChanged) -> None:
    telling.tell_due()
