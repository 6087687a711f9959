"""What a return gives back, and why: for its preview and for its settlement alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from apps.orders.models import Order, OrderLine
from apps.payments.selectors import left_of
from apps.promotions.engines.snapshot import rule_of
from apps.returns import states
from apps.returns.engines.refunds import Fee, Sale, SoldLine, fee_for, for_goods, paid_for, share
from apps.returns.models import ReturnLabel, ReturnLine, ReturnRequest


@dataclass(frozen=True, slots=True)
class Estimate:
    """Minor units. `paid` is what was paid for the pieces; `goods` less where a promotion breaks;
    `refund` is goods - fee - label + shipping, or what is left of the order's money if less.

    `replacement` is what pieces cost that are sent in their place: None where none are.
    """

    paid: int
    goods: int
    fee: int
    shipping: int
    refund: int
    label: int = 0
    replacement: int | None = None

    @property
    def credit(self) -> int:
        """What of the refund is set against the replacement."""
        return min(self.refund, self.replacement or 0)

    @property
    def to_pay(self) -> int:
        """What the replacement costs beyond the refund."""
        return (self.replacement or 0) - self.credit


def estimate(
    *, order: Order, lines: Iterable[ReturnLine], is_claim: bool = False, waive_fee: bool = False
) -> Estimate:
    """What `lines` would give back now. They needn't be saved.

    Their accepted pieces count; before they are here, all of them.
    """
    lines = list(lines)
    now = {line.order_line_id: pieces_of(line) for line in lines}
    faulty = {
        line.order_line_id: pieces_of(line)
        for line in lines
        # Another size of it breaks no promotion.
        if is_claim or line.is_our_fault or line.keeps_price
    }
    fees = {
        line.order_line_id: Fee(Decimal(line.fee_percent), line.fee_fixed)
        for line in lines
        if not waive_fee and not line.keeps_price
    }
    sale, before = sale_of(order), settled_pieces(order)
    settled = ReturnRequest.objects.filter(order=order, settled_at__isnull=False)
    already = settled.aggregate(n=Sum("goods_amount"))["n"] or 0
    goods = for_goods(sale=sale, before=before, now=now, faulty=faulty, already=already)
    fee = fee_for(sale=sale, before=before, now=now, fees=fees, most=goods)
    shipping = 0
    if not settled.filter(shipping_amount__gt=0).exists():
        given_up = {x.order_line_id: pieces_of(x) for x in lines if x.replacement_id is None}
        shipping = _shipping(order, settled_pieces(order, replaced=False), given_up)
    label = min(_label(order, lines), goods - fee + shipping)
    after = {pk: before.get(pk, 0) + now.get(pk, 0) for pk in {*before, *now}}
    return Estimate(
        paid=paid_for(sale, after) - paid_for(sale, before),
        goods=goods,
        fee=fee,
        shipping=shipping,
        label=label,
        refund=min(goods - fee - label + shipping, left_of(order)),
    )


def _label(order: Order, lines: Sequence[ReturnLine]) -> int:
    """What of the label's price is taken off; nothing of an exchange alone, as with the fee."""
    if all(line.replacement_id for line in lines):
        return 0
    labels = ReturnLabel.objects.filter(
        request__in={line.request_id for line in lines if line.request_id},
        status=ReturnLabel.Status.BOUGHT,
        is_deducted=True,
        currency=order.currency,
    )
    return labels.aggregate(n=Sum("amount"))["n"] or 0


def pieces_of(line: ReturnLine) -> int:
    """The pieces of a return's line that count."""
    if line.pk is None or line.request.status in (states.REQUESTED, states.APPROVED):
        return line.quantity
    return line.accepted_quantity


def paid_for_lines(order: Order, lines: Iterable[ReturnLine]) -> dict[int, tuple[int, int]]:
    """What was paid for the pieces of `lines`, which aren't settled yet, by order line: without
    tax that was added, and with it."""
    before, sold = settled_pieces(order), {line.pk: line for line in sale_of(order).lines}
    found = {}
    for line in lines:
        each, first = sold[line.order_line_id], before.get(line.order_line_id, 0)
        last = first + pieces_of(line)
        found[each.pk] = (
            each.net * last // each.quantity - each.net * first // each.quantity,
            share(each, last) - share(each, first),
        )
    return found


def settled_pieces(order: Order, *, replaced: bool = True) -> dict[int, int]:
    """The pieces of settled returns, by order line; not `replaced`: those that were refunded."""
    lines = ReturnLine.objects.filter(request__order=order, request__settled_at__isnull=False)
    if not replaced:
        lines = lines.filter(replacement=None)
    sums = lines.values("order_line_id").annotate(n=Sum("accepted_quantity")).order_by()
    return {row["order_line_id"]: row["n"] for row in sums}


def _shipping(order: Order, before: Mapping[int, int], now: Mapping[int, int]) -> int:
    """What the delivery cost, if everything that was sent comes back (Directive 2011/83/EU,
    article 13(1)); else nothing."""
    sent = [line for line in order.lines.all() if line.requires_shipping]
    if not sent or any(
        before.get(line.pk, 0) + now.get(line.pk, 0) < line.quantity for line in sent
    ):
        return 0
    choice = order.quote.get("shipping_choice") or {}
    return order.shipping + (0 if order.tax_included else choice.get("tax", 0))


def sale_of(order: Order) -> Sale:
    """An order as the refund's engine takes it: from the quote that it keeps.

    Where the quote doesn't fit the lines (any more), pieces are worth their share.
    """
    lines = list(order.lines.all())
    quoted = order.quote.get("lines", [])
    kept = order.quote.get("promotions", {"rules": [], "facts": {}})
    fits = len(quoted) == len(lines) and all(
        (row["sku"], row["quantity"]) == (line.sku, line.quantity)
        for row, line in zip(quoted, lines, strict=True)
    )
    # Orders from before promotions were kept have discounts that nothing explains.
    explained = "promotions" in order.quote or not order.discount
    if not fits:
        quoted = [{} for _line in lines]
    return Sale(
        tuple(
            _sold(order, line, row, kept["facts"]) for line, row in zip(lines, quoted, strict=True)
        ),
        tuple(rule_of(rule) for rule in kept["rules"]) if fits and explained else None,
    )


def _sold(order: Order, line: OrderLine, row: dict, facts: Mapping[str, list[str]]) -> SoldLine:
    net = line.subtotal - line.discount
    percent = sum((Decimal(tax["percent"]) for tax in row.get("taxes", ())), Decimal(0))
    return SoldLine(
        pk=line.pk,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        list_price=row.get("list_price", line.unit_price),
        net=net,
        total=net + (0 if order.tax_included else line.tax),
        percent=Decimal(0) if order.tax_included else percent,
        facts=frozenset(facts.get(row.get("key", ""), ())),
        is_gift=row.get("is_gift", False),
    )
