from __future__ import annotations

from tests.contract.conftest import _furnished, furnished
from tests.flows.conftest import buyer, deliver, shop, simulator

__all__ = ["_furnished", "buyer", "deliver", "furnished", "shop", "simulator"]
