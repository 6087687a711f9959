"""Our own tables as carriers: no network, no labels."""

from __future__ import annotations

from collections.abc import Sequence

from apps.shipping.carriers.base import Carrier, CarrierRate, RateRequest


class TableCarrier(Carrier):
    """The method's table, for everything that is sent together."""

    remote = False

    def rates(self, request: RateRequest) -> Sequence[CarrierRate]:
        if request.own_price is None:
            return ()
        return (CarrierRate("", "", request.own_price, request.currency),)


class FlatCarrier(Carrier):
    """The method's price for each piece, whatever it weighs."""

    remote = False

    def rates(self, request: RateRequest) -> Sequence[CarrierRate]:
        if request.own_price is None:
            return ()
        pieces = max(sum(package.pieces for package in request.packages), 1)
        return (CarrierRate("", "", request.own_price * pieces, request.currency),)
