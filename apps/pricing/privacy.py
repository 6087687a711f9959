"""What is personal in prices: nothing; who changed one is staff."""

from apps.core.personal import impersonal
from apps.pricing.models import CurrencyRule, Price, PriceList, PricePoint

impersonal(CurrencyRule, Price, PriceList, PricePoint)
