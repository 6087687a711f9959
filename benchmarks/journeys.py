"""What is measured: pages that shoppers read, and whole checkouts."""

from __future__ import annotations

import random

from benchmarks.load import Call, Connection, Journey
from benchmarks.world import ADJECTIVES, CATEGORIES, skus, slug

API = "/api/v1"
ADDRESS = {
    "first_name": "Ana",
    "last_name": "García",
    "line1": "Calle Mayor 1",
    "city": "Madrid",
    "region": "M",
    "postal_code": "28013",
    "country": "ES",
}
PAYMENTS = {
    "manual": {"gateway": "manual"},
    "stripe": {"gateway": "stripe", "method": "pm_card_visa"},
}


def reads(products: int) -> dict[str, list[Call]]:
    """The calls of each workload; many different ones where a shop's shoppers differ."""
    dice = random.Random(2)
    some = [dice.randrange(products) for _ in range(200)]

    def get(*paths: str) -> list[Call]:
        return [Call("GET", f"{API}{path}") for path in paths]

    lines = [Call("POST", f"{API}/carts/", {"lines": _lines(dice, products)}) for _ in range(200)]
    return {
        "list": get("/products/"),
        "category": get(
            *(f"/products/?category=category-{n}&ordering=price" for n in range(CATEGORIES))
        ),
        "detail": get(*(f"/products/{slug(n)}/" for n in some)),
        "search": get(*(f"/products/?search={word}" for word in ADJECTIVES)),
        "facets": get(*(f"/products/facets/?category=category-{n}" for n in range(CATEGORIES))),
        "cart": lines,
    }


def _lines(dice: random.Random, products: int) -> list[dict[str, object]]:
    wanted = dice.sample(range(products), 2)
    return [{"sku": dice.choice(skus(n)), "quantity": dice.randint(1, 3)} for n in wanted]


def rush_for(sku: str) -> Call:
    """One piece of it, bought in one call."""
    body = {"lines": [{"sku": sku, "quantity": 1}], "payment": PAYMENTS["manual"], **_wishes()}
    return Call("POST", f"{API}/checkout/", body)


def in_steps(products: int, gateway: str) -> Journey:
    """Cart with two lines; e-mail, address and method; checkout: three calls."""

    async def journey(client: Connection, dice: random.Random) -> None:
        cart = await client.send(Call("POST", f"{API}/carts/", {"lines": _lines(dice, products)}))
        if cart is None:
            return
        path = f"{API}/carts/{cart['id']}/"
        await client.send(Call("PATCH", path, _wishes()))
        await client.send(Call("POST", f"{path}checkout/", {"payment": PAYMENTS[gateway]}))

    return journey


def in_one_call(products: int, gateway: str) -> Journey:
    """The same order by `POST /checkout/`."""

    async def journey(client: Connection, dice: random.Random) -> None:
        body = {"lines": _lines(dice, products), "payment": PAYMENTS[gateway], **_wishes()}
        await client.send(Call("POST", f"{API}/checkout/", body))

    return journey


def _wishes() -> dict[str, object]:
    return {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
