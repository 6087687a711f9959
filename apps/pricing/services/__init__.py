from apps.pricing.services.currency_rules import (
    CurrencyRuleExists,
    InvalidCurrencyRule,
    check_currency_rule,
    delete_currency_rule,
    save_currency_rule,
)
from apps.pricing.services.history import note_promoted
from apps.pricing.services.lines import AgreedPrice, GivenGift, Item, Situation
from apps.pricing.services.parcels import parts_of
from apps.pricing.services.previews import (
    PromotionPreview,
    Sample,
    UnknownSku,
    preview_promotion,
)
from apps.pricing.services.price_lists import (
    PriceListInUse,
    PriceListTaken,
    delete_price_list,
    save_price_list,
)
from apps.pricing.services.prices import (
    InvalidPrice,
    PriceData,
    PriceExists,
    add_price,
    change_price,
    check_price,
    remove_price,
    set_price,
    set_prices,
)
from apps.pricing.services.quotes import (
    Offer,
    Quotation,
    ShippingUnavailable,
    Terms,
    quote_items,
    shipping_offers,
)

__all__ = [
    "AgreedPrice",
    "CurrencyRuleExists",
    "GivenGift",
    "InvalidCurrencyRule",
    "InvalidPrice",
    "Item",
    "Offer",
    "PriceData",
    "PriceExists",
    "PriceListInUse",
    "PriceListTaken",
    "PromotionPreview",
    "Quotation",
    "Sample",
    "ShippingUnavailable",
    "Situation",
    "Terms",
    "UnknownSku",
    "add_price",
    "change_price",
    "check_currency_rule",
    "check_price",
    "delete_currency_rule",
    "delete_price_list",
    "note_promoted",
    "parts_of",
    "preview_promotion",
    "quote_items",
    "remove_price",
    "save_currency_rule",
    "save_price_list",
    "set_price",
    "set_prices",
    "shipping_offers",
]
