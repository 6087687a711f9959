"""The back office's pages and buttons: each asks for the permission that its name promises."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from apps.core import admin_actions
from apps.integrations.models import ImportJob
from tests.permissions.cast import ROLES, staff
from tests.permissions.operations import routes

pytestmark = pytest.mark.once

# Pages that belong to no model, or that a model has beside Django's own.
ANYBODY = {"admin_password_reset", "login"}
ANY_STAFF = {
    "index",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "search",
    "app_list",
    # They ask for the permission of the model that the query names.
    "autocomplete",
    "view_on_site",
}
SPECIAL = {
    "auth_user_password_change": "accounts.change_user",
    "invoices_invoice_file": "invoices.view_invoice",
    "invoices_invoice_batch": "invoices.view_invoice",
    "invoices_invoice_batch_file": "invoices.view_invoice",
    "returns_returnrequest_photo": "returns.view_returnrequest",
    "returns_returnrequest_label": "returns.view_returnrequest",
    "integrations_importjob_run": "integrations.add_importjob",
    "integrations_importjob_refused": "integrations.view_importjob",
    "integrations_importjob_export": "products.export_product",
    "fulfillment_picklist_add": "fulfillment.pick",
    "fulfillment_picklist_pick": "fulfillment.pick",
    "fulfillment_printjob_file": "fulfillment.print_papers",
    "promotions_promotion_choices": "promotions.change_promotion",
    "promotions_promotion_codes": "promotions.view_coupon",
    "orders_bulkjob_cancel": "orders.add_bulkjob",
    "orders_exportrun_file": "orders.export_order",
    "orders_orderrule_outlook": "orders.view_orderrule",
    "pricing_price_calendar": "pricing.view_price",
    "shipping_shippingmethod_try": "shipping.view_shippingmethod",
    "shipping_zone_check": "shipping.view_zone",
}
# The buttons: what each one needs beside the right to see the object.
BUTTONS = {
    "webhooks.webhookdelivery": {"replay": "webhooks.change_webhookdelivery"},
    "webhooks.webhookendpoint": {
        "rotate": "webhooks.change_webhookendpoint",
        "test": "webhooks.change_webhookendpoint",
    },
    "orders.order": {
        "process": "orders.transition_order",
        "deliver": "orders.transition_order",
        "complete": "orders.transition_order",
        "cancel": "orders.cancel_order",
        "note": "orders.note_order",
        "tags": "orders.organize_order",
        "assign": "orders.organize_order",
        **dict.fromkeys(
            "confirm-edit discard-edit edit edit-address edit-billing cancel-lines combine"
            " split".split(),
            "orders.edit_order",
        ),
        "edit-prices": "orders.edit_price",
        "ship": "fulfillment.ship_order",
        "ship-whole": "fulfillment.ship_order",
        "plan": "fulfillment.ship_order",
        "together": "fulfillment.ship_order",
        "capture": "payments.capture_payment",
        "invoice": "invoices.add_invoice",
        "reissue": "invoices.add_invoice",
        "return": "returns.decide_return",
        "pay-link": "payments.add_paylink",
        "charge-saved": "payments.capture_payment",
    },
    "orders.approval": dict.fromkeys(("approve", "refuse"), "orders.decide_approval"),
    "returns.returnrequest": {
        **dict.fromkeys(
            "approve send-now refund-instead give-up label void-label".split(),
            "returns.decide_return",
        ),
        "decline": "returns.decide_return",
        "receive": "returns.receive_return",
        "inspect": "returns.receive_return",
        "refund": "returns.refund_return",
        "retry": "returns.refund_return",
    },
    "invoices.invoicesettings": {"missing": "invoices.add_invoice"},
    "fulfillment.fulfillment": {
        **dict.fromkeys(
            "tracking deliver send label void give-up separate failed returned".split(),
            "fulfillment.ship_order",
        )
    },
    "payments.payment": {
        "capture": "payments.capture_payment",
        "capture-part": "payments.capture_payment",
        "void": "payments.void_payment",
        "refund": "payments.refund_payment",
    },
    "payments.paylink": dict.fromkeys(("resend", "revoke"), "payments.change_paylink"),
    "payments.giftcard": dict.fromkeys(("resend", "adjust", "disable"), "payments.change_giftcard"),
    "payments.storecredit": {"adjust": "payments.change_storecredit"},
    "customers.customer": {
        **dict.fromkeys(("note", "tags"), "customers.change_customer"),
        "merge": "customers.merge_customer",
        "export": "customers.export_person",
        "erase": "customers.erase_person",
        "store-credit": "payments.change_storecredit",
        "impersonate": "customers.impersonate_customer",
        "order": "orders.add_order",
    },
    "checkout.cart": {
        **dict.fromkeys(
            "place place-by-link lines delivery code discard".split(), "orders.add_order"
        ),
        "prices": "orders.edit_price",
    },
    "reviews.review": {
        "approve": "reviews.moderate_review",
        "reject": "reviews.moderate_review",
        "answer": "reviews.answer_review",
        "withdraw": "reviews.answer_review",
    },
    "fraud.assessment": dict.fromkeys(("release", "fraud"), "fraud.decide_assessment"),
    "inventory.stocklevel": {
        "count": "inventory.change_stocklevel",
        "receive": "inventory.change_stocklevel",
        "adjust": "inventory.change_stocklevel",
        "transfer": "inventory.change_stocklevel",
        "set-apart": "inventory.change_stocklevel",
        "quarantine": "inventory.change_stocklevel",
    },
    "products.product": {
        "stock": "inventory.change_stocklevel",
        "prices": "pricing.change_price",
    },
    "promotions.promotion": {
        "start": "promotions.change_promotion",
        "stop": "promotions.change_promotion",
        "end": "promotions.change_promotion",
        "code": "promotions.add_coupon",
        "batch": "promotions.add_coupon",
    },
    "promotions.coupon": {
        "activate": "promotions.change_coupon",
        "deactivate": "promotions.change_coupon",
    },
    "payments.reconciliationdifference": dict.fromkeys(
        ("adopt", "resolve"), "payments.resolve_difference"
    ),
    "payments.providerevent": {"process": "payments.change_providerevent"},
    "accounts.user": {"reset_second_factor": "auth.change_group"},
    "core.outboxmessage": {"replay": "core.change_outboxmessage"},
    "taxes.vatcheck": {"again": "taxes.add_vatcheck"},
}
# An id that no row has.
NOBODY = "00000000-0000-7000-8000-000000000000"
# Pages that only take a form.
POSTED = ("_save_view", "_unview", "_bulkjob_cancel")
_VERB = re.compile(r"^(.+)_(changelist|add|change|delete|history|save_view|unview)$")


def pages() -> list[tuple[str, str]]:
    """(address of an object that isn't there, name) of every page below /admin/."""
    found = []
    for route, pattern in routes():
        if not route.startswith("admin/") or not pattern.name or pattern.name.endswith("_do"):
            continue
        path = "admin/orders/" if pattern.name == "app_list" else route
        path = re.sub(
            r"<slug:\w+>",
            "commerce",
            re.sub(r"<(?:\w+:)?\w+>", "0", path.replace("<uuid:public_id>", NOBODY)),
        )
        found.append((f"/{path}", pattern.name))
    return found


def needed(name: str) -> set[str]:
    """The permissions of which one opens the page; raises for a page that nobody thought of."""
    if name in SPECIAL:
        return {SPECIAL[name]}
    match = _VERB.match(name)
    models = {f"{m._meta.app_label}_{m._meta.model_name}": m._meta for m in admin.site._registry}
    assert match, f"{name} has no entry"
    meta, verb = models[match[1]], match[2]
    if verb in ("add", "delete"):
        return {f"{meta.app_label}.{verb}_{meta.model_name}"}
    return {f"{meta.app_label}.{v}_{meta.model_name}" for v in ("view", "change")}


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def test_every_page_has_an_entry():
    names = {name for _path, name in pages()}
    assert names >= ANYBODY | ANY_STAFF | set(SPECIAL)
    for name in names - ANYBODY - ANY_STAFF:
        assert needed(name)


@pytest.mark.parametrize("who", ["anonymous", "shopper"])
def test_who_isnt_staff_is_sent_to_the_login(store, shopper, who):
    client = client_of(shopper if who == "shopper" else None)
    wrong = {}
    for path, name in pages():
        response = client.get(path)
        # Nobody has to be signed in to sign out.
        if name in ANYBODY or name == "logout":
            continue
        sent = response.status_code == 302 and response["Location"].startswith("/admin/login/")
        # jsi18n are the translations of Django's own scripts.
        if not sent and name not in ("jsi18n",):
            wrong[path] = response.status_code
    assert wrong == {}


@pytest.mark.parametrize("role", ["", *ROLES])
def test_staff_open_the_pages_of_their_permissions(store, role):
    user = staff(role)
    client, held = client_of(user), user.get_all_permissions()
    wrong = {}
    for path, name in pages():
        if name in ANYBODY | ANY_STAFF:
            continue
        send = client.post if name.endswith(POSTED) else client.get
        code = send(path).status_code
        refused = code == 403
        if not needed(name) & held:
            # Some pages of one object look for it first; the next test has real ones.
            right = refused or (name.endswith(("_history", "_change")) and code in (302, 404))
        elif name.endswith("_changelist"):
            right = code == 200
        else:
            # A model may have no add, no delete page at all; then its admin says so to everybody.
            right = code < 500
        if not right:
            wrong[f"{path} ({name})"] = code
    assert wrong == {}


@pytest.mark.parametrize("role", ["", *ROLES])
def test_pages_of_an_object_ask_for_its_permission(store, role):
    user = staff(role)
    client = client_of(user)
    job = ImportJob.objects.create(store=store, format="commerce", original_name="p.csv")
    for path, permission in {
        f"accounts/user/{user.pk}/history/": "accounts.view_user",
        f"accounts/user/{user.pk}/change/": "accounts.view_user",
        f"integrations/importjob/{job.pk}/change/": "integrations.view_importjob",
        f"integrations/importjob/{job.pk}/history/": "integrations.view_importjob",
    }.items():
        code = client.get(f"/admin/{path}").status_code
        assert (path, code) == (path, 200 if user.has_perm(permission) else 403)


@pytest.mark.parametrize("role", ["", *ROLES])
def test_autocomplete_asks_for_the_model(store, role):
    """Names and e-mail addresses of customers come out of it."""
    user = staff(role)
    client = client_of(user)
    query = {"app_label": "orders", "model_name": "order", "field_name": "customer"}
    code = client.get("/admin/autocomplete/", query).status_code
    assert code == (200 if user.has_perm("customers.view_customer") else 403)


def test_buttons_need_what_the_table_says():
    found = {
        model._meta.label_lower: {name: action.permission for name, action in actions.items()}
        for model, actions in admin_actions._actions.items()
    }
    assert found == BUTTONS


@pytest.mark.parametrize("role", ["", *ROLES])
def test_button_asks_for_its_permission_before_it_looks(store, role):
    user = staff(role)
    client = client_of(user)
    wrong = {}
    for model, actions in BUTTONS.items():
        app, name = model.split(".")
        for button, permission in actions.items():
            path = f"/admin/{app}/{name}/0/do/{button}/"
            sees = user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")
            wanted = 404 if sees and user.has_perm(permission) else 403
            code = client.post(path).status_code
            if code != wanted:
                wrong[path] = f"{code} instead of {wanted}"
    assert wrong == {}
