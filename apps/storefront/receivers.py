"""The listing follows the catalogue, the prices and the stock; kept answers follow what
merchants change beside them."""

from collections.abc import Sequence

from apps.core.events import receives
from apps.core.outdated import outdated_by
from apps.inventory.events import StockChanged
from apps.pricing.events import CurrencyRuleChanged, PriceChanged
from apps.products.events import ProductChanged, ProductsChanged, ProductsRelabelled
from apps.products.models import Attribute, Brand, Category, Collection, Product
from apps.promotions.events import CataloguePricesChanged
from apps.reviews.events import ReviewChanged, ReviewPublished
from apps.storefront.events import ListingsIndexed
from apps.storefront.models import SearchRedirect, SearchSynonym
from apps.storefront.services.listing import rebuild_public, reprice_all, reprice_derived
from apps.storefront.services.sending import send_listings
from apps.stores.events import RatesChanged
from apps.stores.models import Store

# Lists are made of all of these; a change of one is rare.
outdated_by(Store, lambda store: ("stores", "products", "pickup-points", f"store-{store.code}"))
outdated_by(Category, lambda row: ("categories", "products", f"category-{row.slug}"))
outdated_by(Collection, lambda row: ("collections", "products", f"collection-{row.slug}"))
outdated_by(Attribute, lambda row: ("attributes", "products"))
# A deleted product takes its listings along; what else changes of one is rebuilt.
outdated_by(Product, lambda row: (f"product-{row.slug}", "products"), saved=False)
outdated_by(Brand, lambda row: ("products",))
outdated_by(SearchSynonym, lambda row: ("searches", "products"))
outdated_by(SearchRedirect, lambda row: ("searches", "products"))


_OfOne = ProductChanged | ReviewPublished | ReviewChanged
_OfMany = ProductsChanged | ProductsRelabelled | PriceChanged | StockChanged


@receives(
    *(ProductChanged, ProductsChanged, ProductsRelabelled, ReviewPublished, ReviewChanged),
    *(PriceChanged, StockChanged),
    together=True,
)
def relist_products(events: Sequence[_OfOne | _OfMany]) -> None:
    """Each product once, whatever changed of it: an import tells of products, prices and stock."""
    reworded: set[str] = set()
    repriced: set[str] = set()
    for event in events:
        changed = repriced if isinstance(event, PriceChanged | StockChanged) else reworded
        changed.update([event.product_id] if isinstance(event, _OfOne) else event.product_ids)
    rebuild_public(public_ids=reworded)
    rebuild_public(public_ids=repriced - reworded, words=False)


@receives(CataloguePricesChanged)
def reprice_promoted(event: CataloguePricesChanged) -> None:
    reprice_all()


@receives(RatesChanged)
def reprice_stores(event: RatesChanged) -> None:
    reprice_derived()


@receives(CurrencyRuleChanged)
def reprice_store(event: CurrencyRuleChanged) -> None:
    reprice_derived(store=event.store)


@receives(ListingsIndexed)
def send_to_search(event: ListingsIndexed) -> None:
    send_listings(listing_ids=event.listing_ids)
