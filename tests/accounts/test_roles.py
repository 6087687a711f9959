"""Roles: groups with the permissions of their work."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from apps.accounts.selectors import users_registered
from apps.accounts.services.roles import ROLES, sync_roles
from tests.factories.accounts import StaffFactory, UserFactory


def in_role(name):
    user = StaffFactory()
    user.groups.add(Group.objects.get(name=name))
    return user


def test_migrate_makes_the_roles(db):
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    assert not Group.objects.filter(permissions=None).exists()


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (
            "owner",
            ["accounts.change_user", "accounts.add_apikey", "payments.refund_payment"],
            ["accounts.delete_user", "sessions.view_session", "contenttypes.add_contenttype"],
        ),
        (
            "manager",
            ["orders.cancel_order", "payments.capture_payment", "products.add_product"],
            ["accounts.change_user", "accounts.view_apikey", "stores.change_store"],
        ),
        (
            "fulfillment",
            ["fulfillment.ship_order", "orders.transition_order", "inventory.change_stocklevel"],
            ["payments.refund_payment", "orders.cancel_order", "products.change_product"],
        ),
        (
            "support",
            ["payments.refund_payment", "orders.note_order", "customers.change_customer"],
            ["payments.capture_payment", "inventory.change_stocklevel", "accounts.view_user"],
        ),
        (
            "catalogue",
            ["products.change_product", "pricing.change_price", "products.export_product"],
            ["orders.view_order", "customers.view_customer", "inventory.change_stocklevel"],
        ),
        (
            "accountant",
            ["invoices.add_invoice", "orders.export_order", "payments.resolve_difference"],
            ["payments.refund_payment", "orders.edit_order", "core.view_auditentry"],
        ),
        (
            "read-only",
            ["orders.view_order", "core.view_auditentry", "accounts.view_user"],
            ["orders.note_order", "core.export_list", "accounts.view_apikey"],
        ),
    ],
)
def test_role_holds_its_work_and_no_more(db, role, may, may_not):
    user = in_role(role)
    assert [p for p in may if not user.has_perm(p)] == []
    assert [p for p in may_not if user.has_perm(p)] == []


def test_read_only_role_only_views(db):
    held = in_role("read-only").get_all_permissions()
    assert [p for p in held if not p.partition(".")[2].startswith("view_")] == []


def test_sync_roles_restores_them_and_leaves_other_groups_alone(db, capsys):
    Group.objects.get(name="support").permissions.clear()
    mine = Group.objects.create(name="mine")
    call_command("sync_roles")
    assert Group.objects.get(name="support").permissions.count() > 10
    assert mine.permissions.count() == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == list(ROLES)
    assert sync_roles() == sync_roles()


def test_users_registered_is_counted(db):
    UserFactory.create_batch(2)
    assert users_registered() == 2
