"""Writes of tax classes, rates, settings and exemptions; checks of VAT numbers."""

from apps.taxes.services.external import ask_engine
from apps.taxes.services.importing import (
    BUNDLED,
    InvalidTaxFile,
    RefusedRate,
    TaxRatesImport,
    import_rates,
    read_rates,
)
from apps.taxes.services.rates import (
    InvalidTaxRate,
    TaxClassInUse,
    TaxClassTaken,
    check_rate,
    class_in_use,
    delete_class,
    delete_rate,
    save_class,
    save_rate,
)
from apps.taxes.services.sellers import (
    InvalidExemption,
    InvalidTaxSettings,
    check_exemption,
    check_settings,
    delete_exemption,
    save_exemption,
    save_settings,
)
from apps.taxes.services.vat import InvalidVATNumber, check_for_shopper, check_vat_number

__all__ = [
    "BUNDLED",
    "InvalidExemption",
    "InvalidTaxFile",
    "InvalidTaxRate",
    "InvalidTaxSettings",
    "InvalidVATNumber",
    "RefusedRate",
    "TaxClassInUse",
    "TaxClassTaken",
    "TaxRatesImport",
    "ask_engine",
    "check_exemption",
    "check_for_shopper",
    "check_rate",
    "check_settings",
    "check_vat_number",
    "class_in_use",
    "delete_class",
    "delete_exemption",
    "delete_rate",
    "import_rates",
    "read_rates",
    "save_class",
    "save_exemption",
    "save_rate",
    "save_settings",
]
