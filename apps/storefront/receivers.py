"""The listing follows the catalogue, the prices and the stock."""

from apps.core.events import receives
from apps.inventory.events import StockChanged
from apps.pricing.events import CurrencyRuleChanged, PriceChanged
from apps.products.events import ProductChanged, ProductsChanged, ProductsRelabelled
from apps.promotions.events import CataloguePricesChanged
from apps.reviews.events import ReviewChanged, ReviewPublished
from apps.storefront.services.listing import rebuild_public, reprice_all, reprice_derived
from apps.stores.events import RatesChanged


@receives(ProductChanged)
def relist_product(event: ProductChanged) -> None:
    rebuild_public(public_ids=[event.product_id])


@receives(ProductsChanged, ProductsRelabelled, PriceChanged, StockChanged)
def relist_products(
    event: ProductsChanged | ProductsRelabelled | PriceChanged | StockChanged,
) -> None:
    rebuild_public(public_ids=event.product_ids)


@receives(ReviewPublished, ReviewChanged)
def rerate_product(event: ReviewPublished | ReviewChanged) -> None:
    rebuild_public(public_ids=[event.product_id])


@receives(CataloguePricesChanged)
def reprice_promoted(event: CataloguePricesChanged) -> None:
    reprice_all()


@receives(RatesChanged)
def reprice_stores(event: RatesChanged) -> None:
    reprice_derived()


@receives(CurrencyRuleChanged)
def reprice_store(event: CurrencyRuleChanged) -> None:
    reprice_derived(store=event.store)
