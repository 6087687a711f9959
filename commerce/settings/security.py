"""Secrets, cookies, headers, limits."""

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from commerce.settings.env import DEBUG, DEMO, env

SECRET_KEY = env("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Make one with"
            ' `python -c "import secrets; print(secrets.token_urlsafe(50))"`.'
        )
    SECRET_KEY = "insecure-key-of-the-demo-" + "0" * 32
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# "id:key" each; the first encrypts the secrets in the database, all decrypt them. Empty: with DEBUG
# or in the demo one is derived of SECRET_KEY, elsewhere none can be kept.
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[])

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# How many proxies of ours stand in front; X-Forwarded-* is believed from exactly these.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
# Where the last of them, our peer, is: X-Forwarded-For of another peer is a forgery.
_PRIVATE = "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7".split()
TRUSTED_PROXY_NETWORKS = env.list("TRUSTED_PROXY_NETWORKS", default=_PRIVATE)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_HTTPS = not DEBUG and env.bool("HTTPS", True)
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
# Sessions survive a cache that is gone.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *env.list("CSP_IMG_SRC", default=[])],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The admin theme's Alpine evaluates expressions, and it styles inline; nothing else is loosened.
ADMIN_CSP = {
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

# Whom to tell of a hole, in /.well-known/security.txt: mailto:… or https://…; empty: no such page.
SECURITY_CONTACT = env("SECURITY_CONTACT", default="")

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTHENTICATION_BACKENDS = ["apps.accounts.services.sign_in.LimitedBackend"]
# Attempts to sign in or register within 15 minutes, right ones too.
SIGN_IN_ATTEMPTS_PER_ACCOUNT = env.int("SIGN_IN_ATTEMPTS_PER_ACCOUNT", 10)
SIGN_IN_ATTEMPTS_PER_IP = env.int("SIGN_IN_ATTEMPTS_PER_IP", 100)
SIGN_IN_ATTEMPTS_OF_ALL = env.int("SIGN_IN_ATTEMPTS_OF_ALL", 10_000)
# Staff open nothing of theirs before they have set up a second factor. Keys of the API have none.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", not (DEBUG or DEMO))
# The pages that ask for its code, and where it is set up.
SECOND_FACTOR_PAGES = {"code": "shop:code", "setup": "shop:second-factor"}
# Where staff begin who are signed in as a customer.
IMPERSONATION_PAGE = "shop:account"
# Of links that set a password or prove an address: four hours.
PASSWORD_RESET_TIMEOUT = 4 * 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
# An import file of 100,000 rows; streamed to disk, never held in memory.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", 300 * 1024 * 1024)
IMAGE_MAX_BYTES = env.int("IMAGE_MAX_BYTES", 15 * 1024 * 1024)
IMAGE_MAX_PIXELS = env.int("IMAGE_MAX_PIXELS", 50_000_000)
# Who scans what shoppers upload: tcp://host:3310 or unix:///run/clamav/clamd.ctl; empty: nobody.
CLAMD_URL = env("CLAMD_URL", default="")
# Loopback and private targets for outgoing requests: only where tests and the demo need them.
HTTP_ALLOW_PRIVATE_ADDRESSES = env.bool("HTTP_ALLOW_PRIVATE_ADDRESSES", False)
