"""What a shopper's browser gets: the bank's 3-D Secure question, the hosted checkout, Stripe.js."""

from __future__ import annotations

import secrets
from html import escape
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from apps.payments.gateways.simulation.wire import JsonObject, Reply, Request, html_reply, redirect

from . import checkout_sessions, payment_flow, setup_intents
from .currencies import display
from .errors import StripeError
from .forms import decode
from .world import World

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;"
    "color:#1a1f36;background:#fff}button{font:inherit;padding:.7rem 1.2rem;margin:.5rem .5rem 0 0;"
    "border:1px solid #1a1f36;border-radius:.4rem;background:#fff;color:#1a1f36;cursor:pointer}"
    "button.main{background:#1a1f36;color:#fff}select{font:inherit;padding:.5rem;width:100%}"
    "p[role=alert]{color:#a4001d}"
)
_STRIPE_JS = Path(__file__).with_name("stripe.js").read_bytes()
_CHOICES = (
    ("pm_card_visa", "Card that pays"),
    ("pm_card_threeDSecure2Required", "Card that asks for 3-D Secure"),
    ("pm_card_chargeDeclined", "Card that is declined"),
    ("pm_card_chargeDeclinedInsufficientFunds", "Card without funds"),
)


def answer(world: World, request: Request) -> Reply | None:
    """The page a path names, or None. Whoever knows the unguessable path may use it."""
    segments = request.path.strip("/").split("/")
    if len(segments) == 3 and segments[0] == "authenticate":
        return _authenticate(world, request, segments[1], segments[2])
    if len(segments) == 2 and segments[0] == "checkout":
        return _checkout(world, request, segments[1])
    if segments == ["v3"]:
        return Reply(200, _STRIPE_JS, "text/javascript; charset=utf-8")
    if len(segments) == 2 and segments[0] == "receipts":
        return _receipt(world, segments[1])
    return None


def _authenticate(world: World, request: Request, identifier: str, given: str) -> Reply:
    intent = world.store.find(identifier)
    private = world.store.private(identifier) if intent else {}
    expected = private.get("action_token", "")
    if intent is None or not expected or not secrets.compare_digest(given, expected):
        return _page(404, "Not found", "<p>There is no such authentication.</p>")
    if request.method == "GET" and intent["status"] == "requires_action":
        return _question(intent)
    succeeded = decode(request.body).get("outcome") == "succeeded"
    if request.method == "POST" and intent["status"] == "requires_action":
        if intent["object"] == "setup_intent":
            setup_intents.complete_setup(world, intent, succeeded=succeeded)
        else:
            payment_flow.complete_action(world, intent, succeeded=succeeded)
        world.changed()
    return _go_back(intent, private.get("return_url"))


def _question(intent: JsonObject) -> Reply:
    about = "save this card"
    if intent["object"] == "payment_intent":
        about = f"pay {display(intent['amount'], intent['currency'])}"
    return _page(
        200,
        "3-D Secure test page",
        f"<p>Your bank asks whether you want to {escape(about)}. This is a simulation: no money "
        'moves.</p><form method="post">'
        '<button class="main" name="outcome" value="succeeded">Authorise</button>'
        '<button name="outcome" value="failed">Fail</button></form>',
    )


def _go_back(intent: JsonObject, return_url: str | None) -> Reply:
    if not return_url:
        return _page(200, "Done", "<p>You can close this window and return to the shop.</p>")
    failed = intent["status"] in ("requires_payment_method", "canceled")
    name = intent["object"]
    parts = urlsplit(return_url)
    added = urlencode(
        {
            name: intent["id"],
            f"{name}_client_secret": intent["client_secret"],
            "redirect_status": "failed" if failed else "succeeded",
        }
    )
    query = f"{parts.query}&{added}" if parts.query else added
    return redirect(urlunsplit(parts._replace(query=query)))


def _checkout(world: World, request: Request, identifier: str) -> Reply:
    checkout_sessions.expire_late(world, identifier)
    session = world.store.get("checkout.session", identifier)
    if session is None:
        return _page(404, "Not found", "<p>There is no such checkout.</p>")
    if session["status"] == "expired":
        return _page(410, "Expired", "<p>This checkout has expired.</p>")
    problem = ""
    if request.method == "POST" and session["status"] == "open":
        try:
            method = str(decode(request.body).get("payment_method", ""))
            intent = checkout_sessions.pay(world, session, method)
        except StripeError as error:
            problem = error.message
        else:
            if intent["next_action"]:
                return redirect(intent["next_action"]["redirect_to_url"]["url"])
        finally:
            world.changed()
    if session["status"] == "complete":
        target = checkout_sessions.success_url(session)
        return redirect(target) if target else _page(200, "Paid", "<p>Thank you.</p>")
    return _payment_form(world, session, problem)


def _payment_form(world: World, session: JsonObject, problem: str) -> Reply:
    lines = "".join(
        f"<li>{escape(str(item['quantity']))} × {escape(item['description'] or '')}</li>"
        for item in world.store.private(session["id"])["line_items"]["data"]
    )
    options = "".join(f'<option value="{name}">{label}</option>' for name, label in _CHOICES)
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    cancel = session["cancel_url"]
    back = f'<p><a href="{escape(cancel)}">Back to the shop</a></p>' if cancel else ""
    total = escape(display(session["amount_total"], session["currency"]))
    return _page(
        402 if problem else 200,
        f"Pay {total}",
        f'{alert}<ul>{lines}</ul><form method="post"><label for="pm">Test card</label>'
        f'<select id="pm" name="payment_method">{options}</select>'
        f'<button class="main">Pay {total}</button></form>{back}',
    )


def _receipt(world: World, identifier: str) -> Reply:
    intent = world.store.get("payment_intent", identifier)
    if intent is None:
        return _page(404, "Not found", "<p>There is no such receipt.</p>")
    amount = escape(display(intent["amount_received"], intent["currency"]))
    return _page(200, "Receipt", f"<p>Paid {amount}. Reference {escape(intent['id'])}.</p>")


def _page(status: int, title: str, content: str) -> Reply:
    return html_reply(
        status,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{content}</main></body></html>",
    )
