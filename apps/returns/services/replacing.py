"""What is sent in place of returned pieces: its price, its stock, and its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.emails import email_key
from apps.core.errors import Conflict
from apps.core.ids import uuid7
from apps.customers.selectors import group_id_of
from apps.inventory import services as inventory
from apps.inventory.selectors import availability
from apps.orders import services as orders
from apps.orders.models import Order
from apps.pricing import services as pricing
from apps.products.models import OptionValue, Product, Variant
from apps.promotions.selectors import Offered
from apps.returns.models import ReturnLine, ReturnRequest
from apps.returns.selectors import Estimate, estimate, paid_for_lines, pieces_of

# Quotes until the tax that is added fits what was paid.
_TRIES = 5


class NotExchangeable(Conflict):
    """`extra["sku"]`: what can't be had instead."""

    code = "not_exchangeable"
    message = _("This can't be had in exchange.")


def find_variants(order: Order, skus: Iterable[str]) -> dict[str, Variant]:
    """What is sold in the order's store now, by SKU. Raises NotExchangeable."""
    wanted = sorted({sku for sku in skus if sku})
    if not wanted:
        return {}
    on_sale = Product.objects.published(
        order.store_id, timezone.now(), group_id=group_id_of(order.customer)
    ).filter(is_gift_card=False)
    found = {variant.sku: variant for variant in _variants(on_sale.values("pk"), wanted)}
    for sku in wanted:
        if sku not in found:
            raise NotExchangeable(field="lines", extra={"sku": sku})
    return found


def _variants(products: Iterable[int], skus: Sequence[str]) -> Iterable[Variant]:
    rows = Variant.objects.filter(sku__in=skus, is_active=True, product__in=products)
    return rows.select_related("product")


def lines_to_settle(row: ReturnRequest) -> list[ReturnLine]:
    """A return's lines with what `propose` reads of them."""
    found = row.lines.select_related("request", "order_line__variant", "replacement__product")
    return list(found)


def check_replacement(order: Order, line: ReturnLine) -> None:
    """What customers may have: another variant of the same product, that is there.

    Raises NotExchangeable, InsufficientStock.
    """
    variant = line.replacement
    if variant is None:
        return
    if not line.keeps_price:
        raise NotExchangeable(field="lines", extra={"sku": variant.sku})
    if variant.track_inventory:
        free = availability(store_id=order.store_id, variant_ids=[variant.pk])[variant.pk]
        if free < line.quantity:
            short = {"sku": variant.sku, "available": max(0, free)}
            raise inventory.InsufficientStock(extra={"unavailable": [short]})


def propose(
    *, order: Order, lines: Sequence[ReturnLine], is_claim: bool = False, waive_fee: bool = False
) -> tuple[Estimate, pricing.Quotation | None]:
    """What `lines` would give back now, and the quote of what would be sent in their place.

    `lines` come with their request, replacement and order line's variant. Raises NotExchangeable.
    """
    found = estimate(order=order, lines=lines, is_claim=is_claim, waive_fee=waive_fee)
    replaced = [line for line in lines if line.replacement_id and pieces_of(line)]
    if not replaced:
        return found, None
    quotation = _quote(order, replaced, found.refund)
    return replace(found, replacement=int(quotation.quote.total)), quotation


def _quote(order: Order, lines: Sequence[ReturnLine], refund: int) -> pricing.Quotation:
    """The same product costs what was paid for the returned pieces, a dearer variant of it more
    where the policy said so, another one what it costs today; sending it is at our cost, and
    promotions of carts have nothing to do with it."""
    same = [line for line in lines if line.keeps_price]
    paid = paid_for_lines(order, same)
    dearer = _differences(order, [line for line in same if line.charges_difference])
    fixed = {pk: paid[pk][0] + more for pk, more in dearer.items()}
    prices = {pk: net for pk, (net, _gross) in paid.items() if pk not in fixed}
    most = min(sum(gross for pk, (_net, gross) in paid.items() if pk in prices), refund)
    keys = {str(x.order_line.public_id) for x in same if x.order_line_id in prices}
    for _try in range(_TRIES):
        quotation = _price(order, list(_items(lines, {**prices, **fixed})))
        rows = quotation.quote.lines
        told = sum(row.total for row in rows if row.key.partition(":")[0] in keys)
        if told <= most:
            break
        prices = {pk: net * most // told for pk, net in prices.items()}
    if quotation.unpriced:
        raise NotExchangeable(field="lines")
    return quotation


def _price(order: Order, items: Sequence[pricing.Item]) -> pricing.Quotation:
    return pricing.quote_items(
        situation=_situation(order),
        items=items,
        shipping_method=order.shipping_method,
        amend=_shelf_prices,
        terms=pricing.Terms("", order.shipping_method_name, shipping_price=0),
    )


def _differences(order: Order, lines: Sequence[ReturnLine]) -> dict[int, int]:
    """By order line, what all its pieces cost more today in the variant that replaces them; only
    where that is more."""
    if not lines:
        return {}
    items = [
        pricing.Item(f"{line.order_line_id}:{end}", variant, pieces_of(line))
        for line in lines
        for end, variant in (("new", line.replacement), ("old", line.order_line.variant))
    ]
    rows = {row.key: row.unit_price for row in _price(order, items).quote.lines}
    found = {}
    for line in lines:
        new, old = (rows.get(f"{line.order_line_id}:{end}") for end in ("new", "old"))
        if new is not None and old is not None and new > old:
            found[line.order_line_id] = (new - old) * pieces_of(line)
    return found


def _items(lines: Sequence[ReturnLine], prices: Mapping[int, int]) -> Iterator[pricing.Item]:
    """Two of a line whose price isn't divisible by its pieces, to the minor unit."""
    for line in lines:
        key, pieces = str(line.order_line.public_id), pieces_of(line)
        assert line.replacement is not None  # noqa: S101 (the caller chose them)
        if line.order_line_id not in prices:
            yield pricing.Item(key, line.replacement, pieces)
            continue
        price, dearer = divmod(prices[line.order_line_id], pieces)
        for count, each in ((dearer, price + 1), (pieces - dearer, price)):
            if count:
                agreed = pricing.AgreedPrice(each, each, unit_price=each)
                yield pricing.Item(f"{key}:{each}", line.replacement, count, agreed)


def _shelf_prices(offered: Offered) -> Offered:
    return replace(offered, rules=tuple(rule for rule in offered.rules if rule.catalogue))


def _situation(order: Order) -> pricing.Situation:
    group = order.customer.group if order.customer else None
    addresses = (order.shipping_address, order.billing_address)
    number = next((a["vat_number"] for a in addresses if a.get("vat_number")), "")
    return pricing.Situation(
        store=order.store,
        currency=order.currency,
        at=timezone.now(),
        address={**order.shipping_address, **({"vat_number": number} if number else {})},
        group_id=group.pk if group else None,
        group=group.code if group else "",
        customer_id=order.customer_id,
        customer_key=email_key(order.email),
    )


def keep_stock(*, order: Order, row: ReturnRequest) -> None:
    """Keep what a return's pieces are exchanged for until it is closed, or given up.

    Raises InsufficientStock.
    """
    wants = _wants(row.lines.exclude(replacement=None).select_related("request"))
    if wants:
        inventory.commit_again(
            reference=row.reference,
            store_id=order.store_id,
            wants=wants,
            destination=order.shipping_address,
        )


def _wants(lines: Iterable[ReturnLine]) -> list[inventory.Want]:
    pieces: dict[int, int] = {}
    for line in lines:
        if line.replacement_id is not None and pieces_of(line):
            pieces[line.replacement_id] = pieces.get(line.replacement_id, 0) + pieces_of(line)
    return [inventory.Want(variant_id, count) for variant_id, count in pieces.items()]


def write_order(
    *,
    order: Order,
    row: ReturnRequest,
    lines: Sequence[ReturnLine],
    quotation: pricing.Quotation,
) -> Order:
    """The replacement's order, pending, with the stock that was kept for it; once for a return.

    Raises InsufficientStock; IntegrityError when the return has one already.
    """
    order_id, expires_at = uuid7(), timezone.now() + inventory.HOLD_LIFETIME
    inventory.hand_over(
        reference=row.reference,
        to=f"order:{order_id}",
        store_id=order.store_id,
        wants=_wants(lines),
        expires_at=expires_at,
        destination=order.shipping_address,
    )
    made = orders.create_order(
        draft=orders.OrderDraft(
            public_id=order_id,
            store=order.store,
            customer=order.customer,
            email=order.email,
            quote=quotation.quote,
            lines=_drafts(quotation),
            shipping_address=order.shipping_address,
            billing_address=order.billing_address,
            language=order.language,
            note="",
            source=row.reference,
            expires_at=expires_at,
            tax_scheme=quotation.tax.scheme,
            tax_country=quotation.tax.country,
            tax_note=str(quotation.tax.note)[:300],
            exchange_rates=quotation.exchange_rates,
        )
    )
    for one, other in ((order, made), (made, order)):
        orders.record_event(
            order=one,
            kind="exchanged",
            message=f"{row.number}: {other.number}",
            data={"return": row.number, "order": other.number},
            is_public=True,
        )
    return made


def _drafts(quotation: pricing.Quotation) -> list[orders.LineDraft]:
    values = OptionValue.objects.select_related("option")
    wanted = Variant.objects.filter(pk__in={item.variant.pk for item in quotation.items})
    wanted = wanted.select_related("product").prefetch_related(
        Prefetch("option_values", queryset=values)
    )
    known = {variant.pk: variant for variant in wanted}
    return [
        orders.LineDraft(
            key=item.key,
            variant=(variant := known[item.variant.pk]),
            name=variant.product.name,
            options={value.option.name: value.value for value in variant.option_values.all()},
        )
        for item in quotation.items
    ]
