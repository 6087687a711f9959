"""What a shopper's browser gets: PayPal's page on which a payment is approved, or not."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from apps.payments.gateways.simulation.wire import JsonObject, Reply, Request, html_reply, redirect

from .orders import approve
from .world import DECLINED, World

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;"
    "color:#001c64;background:#fff}button{font:inherit;padding:.7rem 1.2rem;margin:.5rem .5rem 0 0;"
    "border:1px solid #001c64;border-radius:2rem;background:#fff;color:#001c64;cursor:pointer}"
    "button.main{background:#001c64;color:#fff}"
)


def answer(world: World, request: Request) -> Reply | None:
    """The page a path names, or None. Whoever knows the order may approve it."""
    if request.path != "/checkoutnow":
        return None
    token = parse_qs(request.query).get("token", [""])[0]
    order = world.store.get("order", token)
    if order is None:
        return _page(404, "Not found", "<p>There is no such payment.</p>")
    private = world.store.private(order["id"])
    if request.method != "POST":
        return _question(order)
    choice = parse_qs(request.body).get("choice", [""])[0]
    if choice == "cancel":
        return _back(private["cancel_url"], token=order["id"])
    private["instrument"] = DECLINED if choice == "decline" else ""
    approve(world, order)
    world.changed()
    return _back(private["return_url"], token=order["id"], PayerID="QYR5Z8XDVJNXQ")


def _question(order: JsonObject) -> Reply:
    money = order["purchase_units"][0]["amount"]
    return _page(
        200,
        "PayPal test page",
        f"<p>Do you want to pay {escape(money['value'])} {escape(money['currency_code'])}? This is"
        ' a simulation: no money moves.</p><form method="post">'
        '<button class="main" name="choice" value="approve">Pay</button>'
        '<button name="choice" value="decline">Pay with a card that is declined</button>'
        '<button name="choice" value="cancel">Cancel and return</button></form>',
    )


def _back(url: str, **told: str) -> Reply:
    if not url:
        return _page(200, "Done", "<p>You can close this window and return to the shop.</p>")
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return redirect(urlunsplit(parts._replace(query=query)))


def _page(status: int, title: str, content: str) -> Reply:
    return html_reply(
        status,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{content}</main></body></html>",
    )
