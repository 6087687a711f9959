"""What is personal in the warehouse: nothing; orders are known by their ids, actors are staff."""

from apps.core.personal import impersonal
from apps.inventory.models import AllocationRule, Hold, Location, StockMovement

impersonal(AllocationRule, Hold, Location, StockMovement)
