"""What customs at a cart's address will probably take. It isn't part of what the till asks."""

from __future__ import annotations

from typing import Any

from apps.checkout.selectors.carts import CartView
from apps.shipping.models import ShippingMethod
from apps.shipping.selectors import Goods, duties_json, estimate_duties
from apps.taxes.engines.territories import bears_duties, in_customs_union, territory


def duties_of_cart(view: CartView) -> dict[str, Any] | None:
    """The estimate as the API shows it; None without an address, or in the store's customs area.

    Terms are those of the chosen method, DAP without one.
    """
    cart, situation = view.cart, view.situation
    end = territory(situation.address)
    start = territory({"country": situation.store.country})
    if not end.country or not bears_duties(start, end):
        return None
    goods = [
        Goods(
            each.line.variant.sku,
            each.line_total,
            each.line.variant.hs_code,
            each.line.variant.origin_country,
        )
        for each in view.lines
        if each.unit_price is not None
    ]
    found = estimate_duties(
        goods=goods,
        country=end.country,
        region=end.region,
        in_union=in_customs_union(end),
        currency=situation.currency,
        on=situation.at.date(),
    )
    methods = ShippingMethod.objects.filter(store=cart.store_id, code=cart.shipping_method or "")
    return duties_json(found, "DDP" if methods.filter(duties_paid=True).exists() else "DAP")
