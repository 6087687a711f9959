"""The staff's roles: Django groups whose permissions are the literal below.

The roles belong to the product and are set anew by every `migrate`, so that a new release's
permissions reach them. For something else make a group of your own.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction

# "app.codename"; `*` stands for anything. Accounts is below every other room, so these are words.
ROLES: dict[str, tuple[str, ...]] = {
    "owner": ("*",),
    "manager": (
        *(
            f"{app}.*"
            for app in (
                "notifications customers products inventory shipping taxes promotions pricing"
                " orders payments fulfillment storefront checkout invoices returns integrations"
                " reviews wishlists fraud"
            ).split()
        ),
        "stores.view_*",
        "stores.*_exchangerate",
        "accounts.view_user",
        "core.view_*",
        "core.export_list",
    ),
    "fulfillment": (
        "orders.view_*",
        "orders.transition_order",
        "orders.note_order",
        "orders.organize_order",
        "orders.add_bulkjob",
        "fulfillment.*",
        "inventory.*",
        "returns.view_*",
        "returns.receive_return",
        "products.view_*",
        "shipping.view_*",
        "stores.view_store",
        "customers.view_*",
    ),
    "support": (
        "orders.view_*",
        "orders.cancel_order",
        "orders.edit_order",
        "orders.note_order",
        "orders.organize_order",
        "orders.add_bulkjob",
        "payments.view_*",
        "payments.refund_payment",
        "payments.add_paylink",
        "payments.change_paylink",
        "fulfillment.view_*",
        "invoices.view_*",
        "inventory.view_*",
        "products.view_*",
        "promotions.view_*",
        "pricing.view_*",
        "shipping.view_*",
        "taxes.view_*",
        "stores.view_store",
        "customers.view_*",
        "customers.add_customer",
        "customers.change_customer",
        "customers.impersonate_customer",
        "customers.merge_customer",
        "customers.*_address",
        "notifications.view_*",
        "notifications.add_notification",
        "checkout.view_*",
        "returns.view_*",
        "returns.decide_return",
        "returns.refund_return",
        "reviews.view_*",
        "reviews.moderate_review",
        "reviews.answer_review",
        "wishlists.*_alert",
        "wishlists.view_wantedvariant",
    ),
    "catalogue": (
        "products.*",
        "pricing.*",
        "storefront.*",
        "integrations.*",
        "inventory.view_*",
        "promotions.view_*",
        "reviews.view_*",
        "taxes.view_taxclass",
        "stores.view_store",
        "core.export_list",
    ),
    "accountant": (
        "orders.view_*",
        "orders.export_order",
        "payments.view_*",
        "payments.resolve_difference",
        "invoices.*",
        "returns.view_*",
        "taxes.view_*",
        "pricing.view_*",
        "promotions.view_*",
        "shipping.view_*",
        "customers.view_*",
        "products.view_*",
        "stores.view_*",
        "stores.*_exchangerate",
        "core.export_list",
    ),
    "read-only": ("*.view_*",),
}
# What isn't the shop's: Django's own tables, of which nobody needs more than the groups.
_OURS = ("auth.*_group", "auth.view_permission", "django_celery_beat.*")
_FOREIGN_APPS = frozenset(
    {"admin", "auth", "contenttypes", "sessions", "django_celery_beat", "sites"}
)
# Deleting people would take their keys and tokens along; they are deactivated instead. Their
# sessions and keys are read by nobody but those who may manage them.
_NEVER = ("*.delete_user", "*.delete_customer", "accounts.*_refreshtoken")
_OWNER_ONLY = (
    "stores.*_storelimit",
    "inventory.*_locationlimit",
    "accounts.*_apikey*",
    "accounts.*_apiplan",
    "webhooks.*_webhookendpoint",
    "webhooks.[acd]*_webhookdelivery",
    "payments.*_gatewayaccount",
    # Whoever is limited doesn't set the limit.
    "orders.[acd]*_approvallimit",
    "core.view_idempotencyrecord",
    "core.view_ratecounter",
)


def sync_roles() -> dict[str, int]:
    """Make the roles' groups hold exactly their permissions; the number each holds."""
    names = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    counts = {}
    with transaction.atomic():
        for role, patterns in ROLES.items():
            group, _created = Group.objects.get_or_create(name=role)
            wanted = {pk for name, pk in names.items() if _grants(role, patterns, name)}
            group.permissions.set(wanted)
            counts[role] = len(wanted)
    return counts


def sync_roles_after_migrate(**kwargs: Any) -> None:
    """Receiver of `post_migrate`; a migration that stops before `auth` has no groups yet.

    `flush` sends it too, without the state of a migration: then every table is there.
    """
    try:
        kwargs.get("apps", apps).get_model("auth", "Group")
    except LookupError:
        return
    sync_roles()


def _grants(role: str, patterns: tuple[str, ...], name: str) -> bool:
    if _matches(name, _NEVER) or (role != "owner" and _matches(name, _OWNER_ONLY)):
        return False
    if name.partition(".")[0] in _FOREIGN_APPS and not (role == "owner" and _matches(name, _OURS)):
        return False
    return _matches(name, patterns)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
