"""What is measured: pages that shoppers read, and whole checkouts."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.load import Call, Connection
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
Journey = Callable[[Connection, random.Random], None]


def reads(products: int) -> dict[str, list[Call]]:
    """The calls of each workload; many different ones where a shop's shoppers differ."""
    dice = random.Random(2)
    some = [dice.randrange(products) for _ in range(200)]

    def get(*paths: str) -> list[Call]:
        return [Call("GET", f"{API}{path}") for path in paths]

    lines = [Call("POST", f"{API}/carts/", {"lines": _lines(dice, products)}) for _ in range(200)]
    return {
        "list of 24": get("/products/"),
        "list of a category, by price": get(
            *(f"/products/?category=category-{n}&ordering=price" for n in range(CATEGORIES))
        ),
        "product page": get(*(f"/products/{slug(n)}/" for n in some)),
        "search, a word in 5 %": get(*(f"/products/?search={word}" for word in ADJECTIVES)),
        "facets of a category": get(
            *(f"/products/facets/?category=category-{n}" for n in range(CATEGORIES))
        ),
        "cart made, with two lines": lines,
    }


def _lines(dice: random.Random, products: int) -> list[dict[str, object]]:
    wanted = dice.sample(range(products), 2)
    return [{"sku": dice.choice(skus(n)), "quantity": dice.randint(1, 3)} for n in wanted]


def in_steps(products: int, gateway: str) -> Journey:
    """Cart with two lines; e-mail, address and method; checkout: three calls."""

    def journey(client: Connection, dice: random.Random) -> None:
        cart = client.send(Call("POST", f"{API}/carts/", {"lines": _lines(dice, products)}))
        if cart is None:
            return
        path = f"{API}/carts/{cart['id']}/"
        client.send(Call("PATCH", path, _wishes()))
        client.send(Call("POST", f"{path}checkout/", {"payment": PAYMENTS[gateway]}))

    return journey


def in_one_call(products: int, gateway: str) -> Journey:
    """The same order by `POST /checkout/`."""

    def journey(client: Connection, dice: random.Random) -> None:
        body = {"lines": _lines(dice, products), "payment": PAYMENTS[gateway], **_wishes()}
        client.send(Call("POST", f"{API}/checkout/", body))

    return journey


def _wishes() -> dict[str, object]:
    return {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
