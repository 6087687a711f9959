"""Who does what for us: mail, payments. Dotted paths, read once."""

from commerce.settings.env import DEBUG, DEMO, env

_mail = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="shop@localhost")

PAYMENT_GATEWAYS = {
    "manual": "apps.payments.gateways.manual.gateway.ManualGateway",
    "stripe": "apps.payments.gateways.stripe.gateway.StripeGateway",
    "paypal": "apps.payments.gateways.paypal.gateway.PayPalGateway",
    "gift_card": "apps.payments.gateways.stored_value.gateway.GiftCardGateway",
    "store_credit": "apps.payments.gateways.stored_value.gateway.StoreCreditGateway",
    "exchange": "apps.payments.gateways.stored_value.gateway.ExchangeGateway",
}
# The demo pays at a simulator, whose address `manage.py demo` fills in.
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", default="sk_test_demo" if DEMO else "")
STRIPE_PUBLISHABLE_KEY = env("STRIPE_PUBLISHABLE_KEY", default="pk_test_demo" if DEMO else "")
# Two while one is being rotated out.
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=["whsec_demo"] if DEMO else [])
STRIPE_API_BASE = env("STRIPE_API_BASE", default="https://api.stripe.com")
# "automatic" takes the money at once, "manual" when staff capture, "shipment" with each shipment.
STRIPE_CAPTURE_METHOD = env("STRIPE_CAPTURE_METHOD", default="automatic")

PAYPAL_CLIENT_ID = env("PAYPAL_CLIENT_ID", default="simulator-client" if DEMO else "")
PAYPAL_CLIENT_SECRET = env("PAYPAL_CLIENT_SECRET", default="simulator-secret" if DEMO else "")
# The id that PayPal gave the webhook's address, not a secret.
PAYPAL_WEBHOOK_ID = env("PAYPAL_WEBHOOK_ID", default="SIMULATORWEBHOOK" if DEMO else "")
PAYPAL_API_BASE = env("PAYPAL_API_BASE", default="https://api-m.paypal.com")
# "CAPTURE" takes the money at once, "AUTHORIZE" when staff capture, "SHIPMENT" with each shipment.
PAYPAL_INTENT = env("PAYPAL_INTENT", default="CAPTURE")

# Where the day's exchange rates are fetched; empty: nowhere. The demo asks nobody.
EXCHANGE_RATES_URL = env(
    "EXCHANGE_RATES_URL",
    default="" if DEMO else "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
)

# Where VAT numbers are checked; empty: nowhere, and business sales abroad are taxed.
VIES_URL = env(
    "VIES_URL",
    default="" if DEMO else "https://ec.europa.eu/taxation_customs/vies/services/checkVatService",
)

# Who sets the prices of shipping methods.
SHIPPING_CARRIERS = {
    "table": "apps.shipping.carriers.table.TableCarrier",
    "flat": "apps.shipping.carriers.table.FlatCarrier",
    "shipstation": "apps.shipping.carriers.shipstation.carrier.ShipStationCarrier",
}
# ShipStation's API v2 (ShipEngine): the accounts of the carriers that are asked for rates, and
# where parcels start (country, region, postcode, city).
SHIPSTATION_API_KEY = env("SHIPSTATION_API_KEY", default="")
SHIPSTATION_API_BASE = env("SHIPSTATION_API_BASE", default="https://api.shipengine.com")
SHIPSTATION_CARRIER_IDS = env.list("SHIPSTATION_CARRIER_IDS", default=[])
SHIPSTATION_ORIGIN = env.list("SHIPSTATION_ORIGIN", default=[])
# API v1, where orders are exported to.
SHIPSTATION_V1_KEY = env("SHIPSTATION_V1_KEY", default="")
SHIPSTATION_V1_SECRET = env("SHIPSTATION_V1_SECRET", default="")
SHIPSTATION_V1_BASE = env("SHIPSTATION_V1_BASE", default="https://ssapi.shipstation.com")

# Who may say tax rates instead of the table, by the code that a store's tax settings name.
TAX_ENGINES: dict[str, str] = {}

# Formats of product files.
IMPORT_CHANNELS = {
    "commerce": "apps.integrations.channels.commerce.channel.CommerceChannel",
    "shopify": "apps.integrations.channels.shopify.channel.ShopifyChannel",
    "woocommerce": "apps.integrations.channels.woocommerce.channel.WooCommerceChannel",
    "customers": "apps.integrations.channels.customers.channel.CustomerChannel",
    "shopify-customers": "apps.integrations.channels.customers.channel.ShopifyCustomerChannel",
    "woocommerce-customers": (
        "apps.integrations.channels.customers.channel.WooCommerceCustomerChannel"
    ),
}

# Who finds products: tables of our own, or a class that subclasses the storefront's SearchBackend.
SEARCH_BACKEND = env("SEARCH_BACKEND", default="apps.storefront.services.indexing.DatabaseSearch")
# Asked by apps.storefront.services.opensearch.OpenSearch: the server's address (with user and
# password, if it wants them), what its indexes' names begin with, and for how many seconds a
# shopper waits before the database's own search answers.
OPENSEARCH_URL = env("OPENSEARCH_URL", default="http://localhost:9200")
OPENSEARCH_INDEX = env("OPENSEARCH_INDEX", default="commerce")
OPENSEARCH_PATIENCE = env.float("OPENSEARCH_PATIENCE", 0.5)
# How long counts of what was searched for are kept; 0: nothing is counted.
SEARCH_LOG_DAYS = env.int("SEARCH_LOG_DAYS", 90)

# Caches in front of the shop that are told what is outdated (docs/caching.md).
EDGE_CACHES = env.list("EDGE_CACHES", default=[])
VARNISH_URLS = env.list("VARNISH_URLS", default=[])
VARNISH_SECRET = env("VARNISH_SECRET", default="")
FASTLY_SERVICE_ID = env("FASTLY_SERVICE_ID", default="")
FASTLY_TOKEN = env("FASTLY_TOKEN", default="")
FASTLY_API_BASE = env("FASTLY_API_BASE", default="https://api.fastly.com")
CLOUDFLARE_ZONE_ID = env("CLOUDFLARE_ZONE_ID", default="")
CLOUDFLARE_TOKEN = env("CLOUDFLARE_TOKEN", default="")
CLOUDFLARE_API_BASE = env("CLOUDFLARE_API_BASE", default="https://api.cloudflare.com/client/v4")

# Callables of a cart that may refuse its checkout before anything is written (fraud, approvals).
# What they return, if anything, is called with the order, in the transaction that writes it.
CHECKOUT_GUARDS = ["apps.fraud.services.check_cart"]
# Who judges checkouts beside the rules, by the code that a store's fraud settings name.
FRAUD_ENGINES: dict[str, str] = {}
# The public address of this shop, for links in mails.
SITE_URL = env("SITE_URL", default="http://localhost:8000")
# Where a customer looks at an order, in mails: the reference shop's page, or another storefront's.
ORDER_URL = env("ORDER_URL", default=SITE_URL + "/orders/{number}/?token={token}")
# Where a customer pays what an order still owes.
PAY_URL = env("PAY_URL", default=SITE_URL + "/pay/{token}/")
# Where somebody sets a new password, and where the address of an account is proved.
PASSWORD_RESET_URL = env("PASSWORD_RESET_URL", default=SITE_URL + "/password/{uid}/{token}/")
VERIFY_EMAIL_URL = env("VERIFY_EMAIL_URL", default=SITE_URL + "/verify/{uid}/{token}/")
# Where somebody confirms another address for their account.
EMAIL_CHANGE_URL = env("EMAIL_CHANGE_URL", default=SITE_URL + "/account/email/{uid}/{token}/")
# Where an identity provider sends people back to.
SOCIAL_CALLBACK_URL = env(
    "SOCIAL_CALLBACK_URL", default=SITE_URL + "/account/sign-in/with/{slug}/back/"
)
# Where somebody confirms or gives up an alert.
ALERT_URL = env("ALERT_URL", default=SITE_URL + "/alerts/{token}/")
# The storefront's own pages, for search engines and product feeds. Beside the slug (and the SKU),
# {language}, {domain} and {store} are known.
PRODUCT_URL = env("PRODUCT_URL", default=SITE_URL + "/products/{slug}/")
VARIANT_URL = env("VARIANT_URL", default=PRODUCT_URL + "?variant={sku}")
CATEGORY_URL = env("CATEGORY_URL", default=SITE_URL + "/categories/{slug}/")
COLLECTION_URL = env("COLLECTION_URL", default=SITE_URL + "/collections/{slug}/")
