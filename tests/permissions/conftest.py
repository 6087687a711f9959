from __future__ import annotations

from tests.contract.conftest import _furnished, furnished

__all__ = ["_furnished", "furnished"]
