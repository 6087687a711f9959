"""The VAT number of a cart: asked about in the background."""

from __future__ import annotations

from apps.core.errors import RateLimited
from apps.core.ratelimit import ALL, Limit, hit_caller
from apps.stores.models import Store
from apps.taxes.services import check_vat_number

# VIES is the tax offices' own, and blocks who asks too much.
OF_ALL = Limit("cart-vat-number", by=ALL, most=600, seconds=3600)


def check_typed_vat_number(*, store_code: str, number: str) -> None:
    """Have VIES asked about a number that a shopper typed; the cart's next quote counts on it.

    Beyond so many an hour none is asked about, and the buyer is taxed like a consumer.
    """
    try:
        hit_caller(OF_ALL)
    except RateLimited:
        return
    check_vat_number(number=number, store=Store.objects.filter(code=store_code).first())
