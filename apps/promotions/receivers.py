"""What promotions do when something has happened."""

from __future__ import annotations

from apps.core.events import receives
from apps.promotions.events import CodesWanted
from apps.promotions.tasks import make_codes


@receives(CodesWanted)
def make_the_rest(event: CodesWanted) -> None:
    make_codes.delay(event.promotion_id, event.batch, event.count, event.prefix, event.length)
