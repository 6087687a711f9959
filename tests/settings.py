"""The project's settings, made quick, quiet and closed to the outside for tests.

`TEST_DATABASE` chooses the engine: "sqlite" (in memory, the default), "postgres" (the server
named by `TEST_POSTGRES_URL`, else one of our own that comes from pip) or "mariadb"
(`TEST_MYSQL_URL`).
"""

import os
import tempfile
from pathlib import Path

from tests import postgres

# A developer's .env must not reach the tests: what is set here wins over it.
os.environ |= {
    "DEBUG": "0",
    "FIELD_ENCRYPTION_KEYS": "tests:" + "0" * 43 + "=",
    "COMMERCE_DEMO": "0",
    "SECRET_KEY": "tests-only-" + "x" * 50,
    "BACKGROUND": "manual",
    "REDIS_URL": "",
    "BROKER_URL": "memory://",
    "HTTPS": "0",
    "HTTP_ALLOW_PRIVATE_ADDRESSES": "1",
    "API_RATE_PER_MINUTE": "0",
    "EXCHANGE_RATES_URL": "",
    "VIES_URL": "",
    "TRUSTED_PROXIES": "0",
    "ADMIN_PATH": "admin/",
    "STORAGE": "django.core.files.storage.FileSystemStorage",
    "STRIPE_SECRET_KEY": "sk_test_commerce",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_commerce",
    "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
    "PAYPAL_CLIENT_ID": "",
    "STAFF_SECOND_FACTOR": "0",
    "LOG_LEVEL": "WARNING",
}
# One folder for a run and its workers, gone with the run; its name is that of the database too.
if "TEST_SCRATCH" not in os.environ:
    _scratch = tempfile.TemporaryDirectory(prefix="commerce_tests_")
    os.environ["TEST_SCRATCH"] = _scratch.name
TEST_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
if TEST_DATABASE == "postgres" and not os.environ.get("TEST_POSTGRES_URL"):
    # Before the workers of xdist start: they inherit the address.
    os.environ["TEST_POSTGRES_URL"] = postgres.start()
_url = {
    "sqlite": "sqlite://:memory:",
    "postgres": os.environ.get("TEST_POSTGRES_URL", ""),
    "mariadb": os.environ.get("TEST_MYSQL_URL", ""),
}[TEST_DATABASE]
if not _url:
    raise RuntimeError("TEST_DATABASE=mariadb needs TEST_MYSQL_URL, e.g. mysql://root@127.0.0.1/x")
os.environ["DATABASE_URL"] = _url

from commerce.settings import *  # noqa: E402
from commerce.settings import DATABASES, STORAGES  # noqa: E402

if TEST_DATABASE != "sqlite":
    DATABASES["default"]["TEST"] = {"NAME": Path(os.environ["TEST_SCRATCH"]).name}
    # Threads of race tests come and go; their connections must not stay behind.
    DATABASES["default"]["CONN_MAX_AGE"] = 0

ALLOWED_HOSTS = ["*"]
SHORT_CACHES = False
# A process writes what it counted now and then, whichever test it is in.
SEARCH_LOG_DAYS = 0
API_USAGE_SECONDS = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

_folder = Path(os.environ["TEST_SCRATCH"], os.environ.get("PYTEST_XDIST_WORKER", "alone"))
MEDIA_ROOT = _folder / "media"
STATIC_ROOT = _folder / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
_files = "django.core.files.storage.FileSystemStorage"
STORAGES |= {
    "default": {"BACKEND": _files},
    "private": {"BACKEND": _files, "OPTIONS": {"location": _folder / "private"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
