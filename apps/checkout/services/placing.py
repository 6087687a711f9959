"""The one page that reads like the business: a cart becomes an order, and the order gets paid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart, CartLine
from apps.checkout.selectors import CartView, order_of, view_cart
from apps.checkout.selectors.carts import INCOMPLETE, carts_for_reading, source_of
from apps.checkout.services.carts import CartClosed, ask_tax_engine, note_seen_prices
from apps.checkout.services.tenders import note_seen_tenders
from apps.core.errors import Conflict, DomainError
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.core.money import Money, money_json
from apps.inventory import services as inventory
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.models import Payment
from apps.payments.selectors import chosen_gateway, due, living_payment, payments_of
from apps.pricing import services as pricing
from apps.pricing.selectors import prices_for
from apps.promotions import services as promotions

# What a guard wants done with the order of the cart that it let through, in its transaction.
Afterthought = Callable[[Order], None]


class CartIncomplete(DomainError):
    code = "cart_incomplete"
    message = _("Something is still missing.")


class CartUnavailable(Conflict):
    code = "unavailable"
    message = _("Some items are no longer sold.")


class CodeUnusable(Conflict):
    """`extra["codes"]`: the codes to take off the cart."""

    code = "code_unusable"
    message = _("A discount code can't be used any more.")


class PaymentRequired(DomainError):
    """There is something left to pay, and nothing says how."""

    code = "payment_required"
    message = _("Choose how to pay what is left.")


class PriceChanged(Conflict):
    """The sum isn't the one the shopper saw: it must be seen, and agreed to, again."""

    code = "price_changed"
    message = _("The total has changed; please look at it again.")


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """How the shopper pays. `method` is the gateway's own token; without one the browser asks.

    `save_method`: the gateway shall keep it for later. `saved_method` is one that it keeps, by its
    public id; it brings its gateway.
    """

    gateway: str = ""
    method: str = ""
    return_url: str = ""
    save_method: bool = False
    saved_method: UUID | None = None
    by_link: bool = False


# For orders by staff: a link is mailed, and the order keeps its stock as long as the link is good.
BY_LINK = PaymentChoice("", by_link=True)


@dataclass(frozen=True, slots=True)
class Placed:
    """The order as it was written, before its payment moved it; `payment` is None when nothing
    had to be paid."""

    order: Order
    payment: Payment | None


def place_order(
    *, cart: Cart, payment: PaymentChoice | None, expected_total: Money | None = None
) -> Placed:
    """Order a cart and begin its payment.

    However often and in parallel it is called for one cart: one order, one successful payment.
    After a declined payment, the same order is paid by another method. Without a `payment`, gift
    cards and store credit must cover everything. Raises NotFound for a saved method that isn't the
    shopper's, NotSavable, CartIncomplete and PaymentRequired (400),
    OutOfStock, CartUnavailable, ShippingUnavailable, PriceChanged and GiftCardChanged (409) and
    writes nothing then; PaymentDeclined (402) leaves the order waiting for another attempt, and the
    gift cards' money on it. With BY_LINK nothing is begun.
    """
    if payment is not None and not (payment.by_link or payment.saved_method):
        chosen_gateway(cart.store_id, payment.gateway)
    order = None if cart.status == Cart.Status.OPEN else order_of(cart)
    attempt = None
    if order is None:
        afterthoughts = _ask_guards(cart)
        ask_tax_engine(cart=cart)
        try:
            order, attempt = _write_order(cart, payment, expected_total, afterthoughts)
        except IntegrityError:
            # Another request ordered this cart between our look and our insert.
            order = order_of(cart)
            if order is None:
                raise
        except PriceChanged:
            # The refusal shows the new prices.
            note_seen_prices(view_cart(cart))
            raise
        except payments.GiftCardChanged:
            note_seen_tenders(cart=cart)
            raise
    failpoint("order-committed")
    return _pay(order, payment, attempt)


def _ask_guards(cart: Cart) -> list[Afterthought]:
    answers = [import_string(guard)(cart) for guard in settings.CHECKOUT_GUARDS]
    return [answer for answer in answers if answer is not None]


def _pay(order: Order, choice: PaymentChoice | None, attempt: Payment | None) -> Placed:
    if attempt is None:
        return _pay_again(order, choice)
    failpoint("payment-created")
    return _paid(order, payments.drive(attempt))


def _pay_again(order: Order, choice: PaymentChoice | None) -> Placed:
    """An order that wasn't written just now, or owes nothing."""
    if order.status == states.CANCELLED:
        raise CartClosed()
    if order.total == 0:
        if order.status == states.PENDING:
            order = _accept_free(order)
        return Placed(order, None)
    if choice is None or choice.by_link:
        made = payments_of(order)
        if due(order, made):
            if choice is None:
                raise PaymentRequired(field="payment")
            payments.create_pay_link(order=order)
        return Placed(order, living_payment(made))
    payment = payments.start_payment(
        order=order,
        gateway_code=choice.gateway,
        method=choice.method,
        return_url=choice.return_url,
        save_method=choice.save_method,
        saved_method=choice.saved_method,
    )
    return _paid(order, payment)


def _paid(order: Order, payment: Payment) -> Placed:
    """Raises PaymentDeclined."""
    if payment.status == Payment.Status.FAILED:
        raise payments.PaymentDeclined(
            payment.error_message or None,
            extra={
                "decline_code": payment.error_code,
                "order": {"number": order.number, "token": order.token},
            },
        )
    return Placed(order, payment)


@transaction.atomic
def _accept_free(order: Order) -> Order:
    order = locked(Order.objects.filter(pk=order.pk)).get()
    return orders.record_payment(order=order, authorized=0, captured=0, refunded=0)


@transaction.atomic
def _write_order(
    cart: Cart,
    payment: PaymentChoice | None,
    expected_total: Money | None,
    afterthoughts: Sequence[Afterthought],
) -> tuple[Order, Payment | None]:
    """Transaction 1, no network: claim the cart, price it, hold its stock, write the order, what
    the guards say of it, and the payment that is to be begun."""
    claimed = Cart.objects.filter(pk=cart.pk, status=Cart.Status.OPEN).update(
        status=Cart.Status.ORDERED, updated_at=timezone.now()
    )
    if not claimed:
        order = order_of(cart)
        if order is None:
            raise CartClosed()
        return order, None
    # What the row says now, not what it said when the request began.
    cart = carts_for_reading().get(pk=cart.pk)
    now = timezone.now()
    view = view_cart(cart, at=now)
    _refuse(view, expected_total)
    if payment is None and view.due:
        raise PaymentRequired(field="payment")
    # The balances' locks come before those of stock.
    payments.lock_tenders(tenders=view.tenders)
    failpoint("before-hold")
    order_id = uuid7()
    reference = f"order:{order_id}"
    expires_at = now + inventory.HOLD_LIFETIME
    promotions.redeem(
        reference=reference,
        customer_key=view.situation.customer_key,
        uses=view.quotation.uses,
    )
    inventory.hold(
        reference=reference,
        store_id=cart.store_id,
        wants=_wants(view),
        expires_at=expires_at,
        destination=cart.shipping_address,
    )
    failpoint("after-hold")
    order = orders.create_order(draft=_draft(view, order_id, expires_at))
    _note_agreed_prices(order, view)
    for afterthought in afterthoughts:
        afterthought(order)
    if view.tenders:
        order = payments.apply_tenders(order=order, tenders=view.tenders)
    attempt = _begin(order, payment, view.due)
    failpoint("before-commit")
    return order, attempt


def _begin(order: Order, choice: PaymentChoice | None, amount: int) -> Payment | None:
    if choice is None or choice.by_link or not amount:
        return None
    return payments.begin(
        order=order,
        gateway_code=choice.gateway,
        method=choice.method,
        return_url=choice.return_url,
        save_method=choice.save_method,
        saved_method=choice.saved_method,
        amount=amount,
    )


def _wants(view: CartView) -> list[inventory.Want]:
    """Pieces of each variant, gifts among them."""
    pieces: dict[int, int] = {}
    for line in view.lines:
        pieces[line.line.variant_id] = line.line.quantity
    for line in view.quote.lines:
        if line.is_gift:
            variant = view.quotation.gifts[line.key]
            pieces[variant.pk] = pieces.get(variant.pk, 0) + line.quantity
    return [inventory.Want(variant_id, quantity) for variant_id, quantity in pieces.items()]


def _refuse(view: CartView, expected_total: Money | None) -> None:
    """Raise the error that stands first in the way of ordering this cart."""
    found: dict[str, list[Any]] = {}
    for problem in view.problems:
        found.setdefault(problem.code, []).append(problem)
    if missing := [code for code in INCOMPLETE if code in found]:
        raise CartIncomplete(
            extra={
                "errors": [
                    {"field": "", "code": code, "message": str(found[code][0].message)}
                    for code in missing
                ]
            }
        )
    if "unavailable" in found:
        raise CartUnavailable()
    if short := found.get("out_of_stock"):
        raise inventory.InsufficientStock(
            extra={"unavailable": [problem.data for problem in short]}
        )
    if lost := found.get("code_unusable"):
        raise CodeUnusable(extra={"codes": [problem.data["discount_code"] for problem in lost]})
    if "shipping_unavailable" in found:
        raise pricing.ShippingUnavailable()
    total = Money(view.quote.total, view.cart.currency)
    changed = "price_changed" in found if expected_total is None else expected_total != total
    if changed:
        raise PriceChanged(extra={"total": money_json(total.amount, total.currency)})
    if "gift_card_changed" in found:
        raise payments.GiftCardChanged()


def _draft(view: CartView, order_id: Any, expires_at: datetime) -> orders.OrderDraft:
    cart = view.cart
    address = cart.shipping_address or cart.billing_address
    return orders.OrderDraft(
        public_id=order_id,
        store=cart.store,
        customer=cart.customer,
        email=cart.email,
        quote=view.quote,
        lines=[
            orders.LineDraft(
                key=str(v.line.public_id),
                variant=v.line.variant,
                name=v.line.variant.product.name,
                options={o.option.name: o.value for o in v.line.variant.option_values.all()},
                gift_card=v.line.gift_card,
            )
            for v in view.lines
        ]
        + [
            orders.LineDraft(key=key, variant=variant, name=variant.product.name, options={})
            for key, variant in view.quotation.gifts.items()
        ],
        shipping_address=address,
        billing_address=cart.billing_address or address,
        language=cart.language,
        note=cart.note,
        source=source_of(cart),
        expires_at=expires_at,
        tax_scheme=view.quotation.tax.scheme,
        tax_country=view.quotation.tax.country,
        tax_note=str(view.quotation.tax.note)[:300],
        exchange_rates=view.quotation.exchange_rates,
    )


def _note_agreed_prices(order: Order, view: CartView) -> None:
    """Raises orders.ApprovalNeeded for prices lower than staff may make them alone."""
    agreed = [e.line for e in view.lines if e.line.agreed_price is not None]
    if not agreed:
        return
    orders.check_limit(order=order, amount=_lowered(agreed, view), given=lambda since: 0)
    for line in agreed:
        orders.record_event(
            order=order,
            kind="price_agreed",
            message=f"{line.variant.sku}: {line.agreed_reason}",
            data={"sku": line.variant.sku, "unit_price": line.agreed_price},
        )


def _lowered(agreed: Sequence[CartLine], view: CartView) -> int:
    """Minor units that these lines cost less than by the price list."""
    situation = view.situation
    usual = prices_for(
        store=situation.store,
        currency=situation.currency,
        variant_ids=[line.variant_id for line in agreed],
        group_id=situation.group_id,
        at=situation.at,
    )
    lowered = 0
    for line in agreed:
        if price := usual.get(line.variant_id):
            less = price.for_quantity(line.quantity).amount - (line.agreed_price or 0)
            lowered += max(0, less) * line.quantity
    return lowered
