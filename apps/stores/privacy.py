"""What is personal here: nothing, it is the merchant's own."""

from apps.core.personal import impersonal
from apps.stores.models import ExchangeRate, Seller, Sequence, Store

impersonal(ExchangeRate, Seller, Sequence, Store)
