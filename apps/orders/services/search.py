"""Writing down what orders are found by; `selectors.search` looks there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import transaction

from apps.core.money import decimal_string
from apps.orders.models import Order, OrderEvent, OrderWord
from apps.orders.selectors.search import word_key, words_of

# Of one text: a note that is a novel is found by its beginning.
MOST_WORDS = 200
_NAMES = ("first_name", "last_name", "company", "postal_code", "phone")
_OWN = "order"
_CHUNK = 500


def index_words(*, order: Order, source: str, texts: Iterable[str]) -> None:
    """Let staff find `order` by `texts`, instead of what `source` said before.

    `source` is the caller's name for where they come from ("shipment:<id>"), opaque here. Upper
    rooms call it in the transaction that writes what they have to say.
    """
    with transaction.atomic():
        OrderWord.objects.filter(order=order, source=source).delete()
        OrderWord.objects.bulk_create(_rows(order, source, texts))


def index_order(*, order: Order) -> None:
    """Let staff find an order by its own row and its lines: call it when they changed."""
    index_words(order=order, source=_OWN, texts=_texts(order))


def index_new_orders(orders: Iterable[tuple[Order, Iterable[str]]]) -> None:
    """The same for orders that were just written, with the SKUs of their lines.

    One query: nothing is read, nothing is replaced.
    """
    OrderWord.objects.bulk_create(
        row for order, skus in orders for row in _rows(order, _OWN, [*_own_texts(order), *skus])
    )


def reindex_orders(*, on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Write anew what all orders say of themselves, with their notes; the number of orders.

    What upper rooms wrote stays. May be interrupted and begun again at any time.
    """
    done, last = 0, 0
    while chunk := list(Order.objects.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        last = chunk[-1].pk
        for order in chunk:
            index_order(order=order)
            for note in order.timeline.filter(kind="note"):
                index_note(order=order, note=note)
        done += len(chunk)
        on_progress(len(chunk))
    return done


def index_note(*, order: Order, note: OrderEvent) -> None:
    """Let staff find an order by what a note says."""
    index_words(order=order, source=f"note:{note.pk}", texts=[note.message])


def _rows(order: Order, source: str, texts: Iterable[str]) -> Iterator[OrderWord]:
    for word in sorted(words_of(texts))[:MOST_WORDS]:
        yield OrderWord(order=order, source=source, word=word_key(word))


def _texts(order: Order) -> list[str]:
    return [*_own_texts(order), *order.lines.values_list("sku", flat=True)]


def _own_texts(order: Order) -> list[str]:
    addresses = (order.shipping_address, order.billing_address)
    return [
        order.number,
        order.email,
        decimal_string(order.total, order.currency),
        order.customer_note,
        *(str(address.get(name) or "") for address in addresses for name in _NAMES),
    ]
