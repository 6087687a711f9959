"""The REST API."""

from datetime import timedelta

from commerce.settings.env import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api.authentication.TokenAuthentication",
        "apps.accounts.api.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["apps.accounts.api.throttling.CallerThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.core.api.permissions.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["apps.core.api.filters.FilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "commerce.schema.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Commerce",
    "DESCRIPTION": "Storefronts, merchants and their systems all speak this.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["apps.core.api.permissions.Public"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ShippingMethodKindEnum": "apps.shipping.models.ShippingMethod.Kind",
        "OrderStatusEnum": "apps.orders.models.Order.Status",
        "OrderPaymentStatusEnum": "apps.orders.models.Order.PaymentStatus",
        "OrderFulfillmentStatusEnum": "apps.orders.models.Order.FulfillmentStatus",
        "PaymentStateEnum": "apps.payments.models.Payment.Status",
        "GiftCardStatusEnum": "apps.payments.models.StoredValue.Status",
        "LedgerEntryKindEnum": "apps.payments.models.StoredValueEntry.Kind",
        "PayLinkStateEnum": "apps.payments.models.PayLink.State",
        "RefundStatusEnum": "apps.payments.models.Refund.Status",
        "FulfillmentStateEnum": "apps.fulfillment.models.Fulfillment.Status",
        "NotificationStatusEnum": "apps.notifications.models.Notification.Status",
        "ProductStatusEnum": "apps.products.models.Product.Status",
        "WebhookDeliveryStatusEnum": "apps.webhooks.models.WebhookDelivery.Status",
        "JobStatusEnum": "apps.integrations.models.ImportJob.Status",
        "BulkJobStatusEnum": "apps.orders.models.BulkJob.Status",
        "ExportFormatEnum": "apps.orders.models.desk.ExportFormat",
        "ImageStatusEnum": "apps.products.models.ProductImage.Status",
        "CollectionKindEnum": "apps.products.models.Collection.Kind",
        "AttributeKindEnum": "apps.products.models.Attribute.Kind",
        "CurrencyEnum": "apps.core.money.CURRENCY_CHOICES",
        "UnitReferenceEnum": "apps.products.models.Variant.UnitReference",
        "IdentityProviderKindEnum": "apps.accounts.models.IdentityProvider.Kind",
        "AlertKindEnum": "apps.wishlists.models.Alert.Kind",
        "AlertStatusEnum": "apps.wishlists.models.Alert.Status",
        "ReviewStatusEnum": "apps.reviews.models.Review.Status",
        "PhotoStatusEnum": "apps.core.models.UploadedPhoto.Status",
        "ReviewReportReasonEnum": "apps.reviews.models.ReviewReport.Reason",
        "InvoiceKindEnum": "apps.invoices.models.Invoice.Kind",
        "ReturnKindEnum": "apps.returns.models.ReturnRequest.Kind",
        "ReturnStatusEnum": "apps.returns.models.ReturnRequest.Status",
        "ReturnRefundToEnum": "apps.returns.models.ReturnRequest.RefundTo",
        "ReturnReasonEnum": "apps.returns.models.ReturnLine.Reason",
        "ReturnConditionEnum": "apps.returns.models.Condition",
        "ReturnShippingPayerEnum": "apps.returns.models.ReturnPolicy.Payer",
        "InspectionOutcomeEnum": "apps.returns.models.Inspection.Outcome",
        "TaxRateLevelEnum": "apps.taxes.models.TaxRate.Level",
        "VATVerdictEnum": "apps.taxes.models.VATCheck.Verdict",
        "FraudVerdictEnum": "apps.fraud.models.Assessment.Verdict",
        "FraudDecisionEnum": "apps.fraud.models.Assessment.Decision",
        "FraudRuleKindEnum": "apps.fraud.models.FraudRule.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
    ],
}

# Requests a minute for one caller, over all endpoints; 0 is no limit.
API_RATE_PER_MINUTE = env.int("API_RATE_PER_MINUTE", 600)
# How often a process writes how much API keys were called; 0: when it is told to.
API_USAGE_SECONDS = 60
ACCESS_TOKEN_LIFETIME = timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", 10))
REFRESH_TOKEN_LIFETIME = timedelta(days=env.int("REFRESH_TOKEN_DAYS", 30))

CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = (
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
    "x-store",
)
CORS_EXPOSE_HEADERS = ("ETag", "Idempotent-Replayed", "Retry-After", "X-Request-Id")
