from apps.stores.services.rates import (
    MAX_FILE,
    InvalidRates,
    RatesImport,
    fetch_due_rates,
    fetch_rates,
    import_rates,
    remove_rate,
    save_rate,
)
from apps.stores.services.stores import keep_one_default, lock_numbers, next_number

__all__ = [
    "MAX_FILE",
    "InvalidRates",
    "RatesImport",
    "fetch_due_rates",
    "fetch_rates",
    "import_rates",
    "keep_one_default",
    "lock_numbers",
    "next_number",
    "remove_rate",
    "save_rate",
]
