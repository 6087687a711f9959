"""Settings checked at start: a shop that is set up wrongly says so, and doesn't sell."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from apps.core.edge.base import EdgeCache
from apps.core.secrets import check_keys


@register(Tags.security, deploy=True)
def production_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What a production site must have set; run by `check --deploy`."""
    found: list[CheckMessage] = []
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine.endswith("sqlite3"):
        found.append(
            Error(
                "SQLite serves one writer at a time.",
                hint="Set DATABASE_URL to PostgreSQL (or MariaDB) in production.",
                id="commerce.E001",
            )
        )
    if settings.DEMO:
        found.append(
            Error(
                "The demo's logins and simulated payments are on.",
                hint="Unset COMMERCE_DEMO in production.",
                id="commerce.E002",
            )
        )
    if settings.HTTP_ALLOW_PRIVATE_ADDRESSES:
        found.append(
            Error(
                "Outgoing requests may reach private addresses.",
                hint="Unset HTTP_ALLOW_PRIVATE_ADDRESSES in production.",
                id="commerce.E003",
            )
        )
    if settings.BACKGROUND != "celery":
        found.append(
            checks.Warning(
                "Background work runs inside the web process.",
                hint="Set BACKGROUND=celery and start a worker and beat.",
                id="commerce.W001",
            )
        )
    return found


@register()
def background_mode(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.BACKGROUND in ("celery", "thread", "manual"):
        return []
    return [
        Error(
            f"BACKGROUND={settings.BACKGROUND!r} is unknown.",
            hint='"celery" (worker and beat), "thread" (inside the web process) or "manual".',
            id="commerce.E004",
        )
    ]


@register()
def storefront_addresses(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    known = {"slug": "", "language": "", "domain": "", "store": ""}
    names = {"PRODUCT_URL": known, "CATEGORY_URL": known, "COLLECTION_URL": known}
    return [
        Error(
            f"{name}={getattr(settings, name)!r} can't be filled in.",
            hint="Known are {slug}, {language}, {domain} and {store}; {sku} in VARIANT_URL.",
            id="commerce.E005",
        )
        for name, values in {**names, "VARIANT_URL": {**known, "sku": ""}}.items()
        if not _fills(getattr(settings, name), values)
    ]


@register()
def edge_caches(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for path in settings.EDGE_CACHES:
        try:
            kind = import_string(path)
        except ImportError:
            kind = None
        if not (isinstance(kind, type) and issubclass(kind, EdgeCache)):
            problem, hint = f"EDGE_CACHES: {path!r} is no EdgeCache.", "Name a subclass of it."
            found.append(Error(problem, hint=hint, id="commerce.E006"))
            continue
        found += [
            Error(f"{path} needs {name}.", hint=f"Set {name}.", id="commerce.E007")
            for name in kind.needs
            if not getattr(settings, name)
        ]
    return found


@register()
def field_encryption(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Keys that are named must be good ones; none is fine while no secret is in the database.

    Staff without one couldn't keep the seed of the second factor that is asked of them.
    """
    try:
        if settings.FIELD_ENCRYPTION_KEYS or settings.STAFF_SECOND_FACTOR:
            check_keys()
    except ImproperlyConfigured as error:
        hint = (
            "Set FIELD_ENCRYPTION_KEYS to id:key, the key by Fernet.generate_key() of cryptography."
        )
        return [Error(str(error), hint=hint, id="commerce.E008")]
    return []


def _fills(pattern: str, values: dict[str, str]) -> bool:
    try:
        pattern.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError):
        return False
    return "{slug}" in pattern
