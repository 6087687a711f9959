"""How each store judges its checkouts."""

from __future__ import annotations

from django.conf import settings

from apps.core.cache import ShortCache
from apps.core.outdated import outdated_by
from apps.fraud.models import FraudSettings

_KEY = "fraud-settings"
outdated_by(FraudSettings, lambda known: [_KEY])

# A row per store at most, asked for by every checkout.
_settings: ShortCache[dict[int, FraudSettings]] = ShortCache(
    lambda: {known.store_id: known for known in FraudSettings.objects.all()},
    key=_KEY,
    seconds=5.0,
    enabled=lambda: settings.SHORT_CACHES,
)


def settings_of(store_id: int) -> FraudSettings | None:
    """None for a store that doesn't judge."""
    return _settings.get().get(store_id)
