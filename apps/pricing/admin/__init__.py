"""Importing this package registers the pages of prices and hangs them up on variants."""

from apps.pricing.admin.currency_rules import CurrencyRuleAdmin
from apps.pricing.admin.history import PricePointAdmin
from apps.pricing.admin.previews import SampleForm
from apps.pricing.admin.price_lists import PriceListAdmin
from apps.pricing.admin.prices import PriceAdmin

__all__ = ["CurrencyRuleAdmin", "PriceAdmin", "PriceListAdmin", "PricePointAdmin", "SampleForm"]
