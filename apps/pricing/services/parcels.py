"""What a method costs for a basket, whole or from each place that sends a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from apps.inventory.selectors import Source, sources
from apps.pricing.engines import till
from apps.pricing.services.lines import Item, Situation, home_and_due, rates_of, volume_of
from apps.products.models import Variant
from apps.shipping.engines.tables import Parcel, Part, Table
from apps.shipping.models import ShippingMethod
from apps.shipping.selectors import methods_to, table_for
from apps.taxes.selectors import TaxAnswer


def methods_for(situation: Situation) -> list[ShippingMethod]:
    return methods_to(store=situation.store, currency=situation.currency, address=situation.address)


def parts_of(*, situation: Situation, items: Sequence[Item]) -> tuple[Part, ...]:
    """What each location would send of the items now, the one that sends most of them first.

    What has no stock, or too little, comes from that one too. One query.
    """
    sent = [item for item in items if item.variant.requires_shipping]
    variants = {item.variant.pk: item.variant for item in sent}
    wanted: Counter[int] = Counter()
    for item in sent:
        wanted[item.variant.pk] += item.quantity
    takes: dict[Source, Counter[int]] = {}
    stocked = {pk: n for pk, n in wanted.items() if variants[pk].track_inventory}
    found = sources(store_id=situation.store.pk, wanted=stocked, destination=situation.address)
    for variant_id, source, pieces in found:
        takes.setdefault(source, Counter())[variant_id] += pieces
    if not takes:
        return ()
    most = max(takes, key=lambda source: takes[source].total())
    takes[most] += wanted - sum(takes.values(), Counter())
    return tuple(
        Part(source.code, source.country, _parcel(takes[source], variants))
        for source in sorted(takes, key=lambda source: (source is not most, source.code))
    )


def _parcel(pieces: Mapping[int, int], variants: Mapping[int, Variant]) -> Parcel:
    each = [(variants[pk], count) for pk, count in pieces.items()]
    return till.parcel_of(
        [till.Line("", v.sku, count, 0, weight=v.weight, volume=volume_of(v)) for v, count in each]
    )


def parts_for(
    methods: Sequence[ShippingMethod], situation: Situation, items: Sequence[Item]
) -> tuple[Part, ...]:
    """The parts, if any of the methods asks for them."""
    asked = any(method.per_location for method in methods)
    return parts_of(situation=situation, items=items) if asked else ()


def shipping_by(
    method: ShippingMethod,
    situation: Situation,
    basket: till.Basket,
    tax: TaxAnswer,
    parts: Sequence[Part],
) -> till.Shipping:
    """The method as the till takes it. Raises NoShippingRate if its carrier doesn't take it."""
    store = situation.store
    tax_class = store.shipping_tax_class
    reprice = None
    # What shipping out of the tax area costs is set for its zone: it never held the tax.
    if tax.reprices and tax.scheme != "export" and store.prices_include_tax:
        reprice = home_and_due(tax, tax_class or "standard")

    def table(parcel: Parcel, origin: str = "") -> Table:
        return table_for(
            method=method,
            currency=situation.currency,
            address=situation.address,
            parcel=parcel,
            origin=origin,
        )

    wanted = parts if method.per_location else ()
    apart = tuple((part, table(part.parcel, part.country)) for part in wanted)
    return till.Shipping(
        # Parts have their own; the whole parcel may be one that no carrier takes.
        table=apart[0][1] if apart else table(till.parcel_of(basket.lines)),
        rates=rates_of(tax, tax_class) if tax_class else None,
        reprice=reprice,
        parts=apart,
    )
