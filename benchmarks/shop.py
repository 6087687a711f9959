"""What stands in the database beside the imported products. Needs a set-up Django."""

from __future__ import annotations

from apps.integrations.models import ImportJob
from apps.integrations.services import delete_job
from apps.inventory.models import Location, StockLevel
from apps.inventory.services import set_on_hand
from apps.products.models import Product, ProductImage
from apps.shipping.models import ShippingMethod, ShippingRate, Zone
from apps.stores.models import Store
from apps.taxes.models import TaxClass, TaxRate


def build_shop() -> None:
    """Two stores, taxes, a shipping method and two locations."""
    stores = [
        Store.objects.create(
            code=code, name=code.title(), is_default=code == "web", order_prefix=f"{code.upper()}-"
        )
        for code in ("web", "outlet")
    ]
    standard, _made = TaxClass.objects.get_or_create(code="standard", defaults={"name": "Standard"})
    TaxRate.objects.create(tax_class=standard, country="ES", name="IVA 21 %", percent=21)
    zone = Zone.objects.create(name="Spain", places=["ES"])
    for store in stores:
        method = ShippingMethod.objects.create(store=store, zone=zone, code="post", name="Post")
        ShippingRate.objects.create(method=method, currency="EUR", price=495)
    for priority, code in enumerate(("near", "far")):
        Location.objects.create(code=code, name=code.title(), priority=priority)


def add_pictures() -> None:
    """A ready picture for each product, without a file: only its address is ever read here."""
    sizes = [
        {"width": width, "height": width, "path": f"products/thumb-{width}.webp"}
        for width in (160, 480, 960)
    ]
    ProductImage.objects.bulk_create(
        [
            ProductImage(
                product_id=pk,
                file="products/original.webp",
                status=ProductImage.Status.READY,
                renditions=sizes,
                alt="A picture",
                width=1200,
                height=1200,
            )
            for pk in Product.objects.values_list("pk", flat=True)
        ],
        batch_size=1000,
    )


def forget_imports() -> None:
    """Their files lie in the checkout's own `var/`, the database goes."""
    for job in ImportJob.objects.all():
        delete_job(job=job)


def leave_pieces(sku: str, pieces: int) -> None:
    """So many pieces of a variant may still be sold, all in one location."""
    levels = StockLevel.objects.filter(variant__sku=sku).select_related("variant", "location")
    for number, level in enumerate(levels.order_by("location__priority")):
        promised = level.held + level.committed
        set_on_hand(
            variant=level.variant,
            location=level.location,
            quantity=promised + (0 if number else pieces),
        )
