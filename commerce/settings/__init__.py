"""Settings by topic, from the environment. docs/configuration.md lists every variable."""

from importlib.metadata import entry_points

from commerce.settings.api import *
from commerce.settings.back_office import *
from commerce.settings.celery import *
from commerce.settings.database import *
from commerce.settings.env import BASE_DIR, DEBUG, VAR_DIR, env
from commerce.settings.env import DEMO as DEMO
from commerce.settings.observability import *
from commerce.settings.providers import *
from commerce.settings.security import *

ROOT_URLCONF = "commerce.urls"
WSGI_APPLICATION = "commerce.wsgi.application"

# The floors of the house, from the ground up (apps/README.md, and the layers contract in
# pyproject.toml; a test compares the three).
HOUSE = [
    "apps.core",
    "apps.accounts",
    "apps.stores",
    "apps.notifications",
    "apps.customers",
    "apps.products",
    "apps.inventory",
    "apps.shipping",
    "apps.taxes",
    "apps.promotions",
    "apps.pricing",
    "apps.orders",
    "apps.payments",
    "apps.fulfillment",
    "apps.reviews",
    "apps.storefront",
    "apps.checkout",
    "apps.returns",
    "apps.integrations",
    "apps.wishlists",
    "apps.fraud",
    "apps.invoices",
    "apps.webhooks",
    "apps.shop",
    "commerce",
]
# A plugin is an ordinary Django app in a pip package.
PLUGINS = [entry.value for entry in entry_points(group="commerce.plugins")]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "django_celery_beat",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "treebeard",
    *HOUSE,
    *PLUGINS,
]

MIDDLEWARE = [
    "apps.core.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "apps.core.middleware.PublicReadsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.core.middleware.SecondFactorMiddleware",
    "apps.core.middleware.AdminMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.core.impersonation.ImpersonationMiddleware",
    "apps.core.middleware.AuditMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
            "libraries": {"shop": "apps.shop.pages.tags"},
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
# The admin theme comes without Spanish; its texts are translated beside ours.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "theme"]
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = env("MEDIA_URL", default="media/")
MEDIA_ROOT = env.path("MEDIA_ROOT", default=VAR_DIR / "media")()
STORAGES = {
    # django-storages: STORAGE=storages.backends.s3.S3Storage, its options by AWS_* settings.
    "default": {"BACKEND": env("STORAGE", default="django.core.files.storage.FileSystemStorage")},
    "private": {
        "BACKEND": env("STORAGE", default="django.core.files.storage.FileSystemStorage"),
        "OPTIONS": {"location": VAR_DIR / "private"} if not env("STORAGE", default="") else {},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
AWS_STORAGE_BUCKET_NAME = env("AWS_STORAGE_BUCKET_NAME", default=None)
AWS_S3_ENDPOINT_URL = env("AWS_S3_ENDPOINT_URL", default=None)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Values kept in the process for seconds (stores, tax rates); off in tests.
SHORT_CACHES = True

AUTH_USER_MODEL = "accounts.User"
