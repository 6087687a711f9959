"""Writing an order down: a snapshot of the quote and of everything it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.context import current_actor
from apps.core.emails import email_key
from apps.core.failpoints import failpoint
from apps.customers.models import Customer
from apps.orders.models import Order, OrderEvent, OrderLine
from apps.orders.services.search import index_new_orders
from apps.pricing.engines.quote import Quote, QuoteLine
from apps.products.models import Variant
from apps.stores.models import Store
from apps.stores.services import next_number


@dataclass(frozen=True, slots=True)
class LineDraft:
    """What a line is about; its money is in the quote, under the same `key`."""

    key: str
    variant: Variant
    name: str
    options: Mapping[str, str]
    gift_card: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderDraft:
    public_id: UUID
    store: Store
    customer: Customer | None
    email: str
    quote: Quote
    lines: Sequence[LineDraft]
    shipping_address: Mapping[str, str]
    billing_address: Mapping[str, str]
    language: str
    note: str
    # Unique ("cart:<id>"): a second order from the same source is refused by the database.
    source: str
    # When the unpaid order gives its stock back.
    expires_at: datetime
    tax_scheme: str = ""
    tax_country: str = ""
    tax_note: str = ""
    exchange_rates: Sequence[Mapping[str, str]] = ()


@transaction.atomic(savepoint=False)
def create_order(*, draft: OrderDraft) -> Order:
    """Write a pending order with the store's next number.

    Takes the number's lock until the commit, so call it last. Raises IntegrityError when the
    source has an order already.
    """
    quote = draft.quote
    number = next_number(store=draft.store, kind="order")
    order = Order.objects.create(
        public_id=draft.public_id,
        number=f"{draft.store.order_prefix}{number}",
        store=draft.store,
        customer=draft.customer,
        email=draft.email,
        email_key=email_key(draft.email),
        currency=quote.currency,
        subtotal=quote.subtotal,
        discount=quote.discount,
        shipping=quote.shipping,
        tax=quote.tax,
        total=quote.total,
        tax_included=quote.tax_included,
        quote=quote.as_json(),
        shipping_address=dict(draft.shipping_address),
        billing_address=dict(draft.billing_address),
        shipping_method=quote.shipping_choice.code if quote.shipping_choice else "",
        shipping_method_name=quote.shipping_choice.name if quote.shipping_choice else "",
        language=draft.language,
        customer_note=draft.note,
        source=draft.source,
        tax_scheme=draft.tax_scheme,
        tax_country=draft.tax_country,
        tax_note=draft.tax_note,
        exchange_rates=list(draft.exchange_rates),
        expires_at=draft.expires_at,
    )
    failpoint("order-inserted")
    drafts = {line.key: line for line in draft.lines}
    OrderLine.objects.bulk_create(
        line_row(order, drafts[line.key], position, line)
        for position, line in enumerate(quote.lines)
    )
    OrderEvent.objects.create(
        order=order,
        kind="created",
        to_status=order.status,
        is_public=True,
        actor=current_actor().label,
    )
    index_new_orders([(order, [line.variant.sku for line in draft.lines])])
    return order


def line_row(order: Order, draft: LineDraft, position: int, quoted: QuoteLine) -> OrderLine:
    """The row of a line that was quoted, not saved."""
    variant = draft.variant
    return OrderLine(
        order=order,
        variant=variant,
        seller_id=variant.product.seller_id,
        position=position,
        sku=variant.sku,
        name=draft.name,
        options=dict(draft.options),
        gift_card=dict(draft.gift_card),
        quantity=quoted.quantity,
        unit_price=quoted.unit_price,
        subtotal=quoted.subtotal,
        discount=quoted.discount,
        tax=quoted.tax,
        total=quoted.total,
        weight=variant.weight,
        requires_shipping=variant.requires_shipping,
    )
