"""Staff who are limited, in the back office: every page of every model."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from apps.core import admin_actions
from apps.core.scopes import scope_of
from apps.fulfillment.models import PickList, PrintJob
from apps.integrations.models import ImportJob
from apps.invoices.models import Invoice, InvoiceBatch
from apps.orders.models import BulkJob, ExportRun, Order
from apps.returns import states
from apps.returns.models import ReturnPhoto, ReturnRequest
from apps.stores.models import Store
from tests.contract.shop import Furnished
from tests.permissions.limited import Limited, limited

pytestmark = pytest.mark.once


@pytest.fixture
def person(request: Any, furnished: Furnished) -> Limited:
    return limited(request.param)


people = pytest.mark.parametrize("person", ["store", "location"], indirect=True)


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def own(person: Limited) -> set[Any]:
    """What is theirs: the place itself."""
    limits = [*person.user.storelimits.all(), *person.user.locationlimits.all()]
    return {getattr(limit, person.kind) for limit in limits}


def foreign(person: Limited) -> list[tuple[Any, Any]]:
    """(page, row) of what is hidden: the first row of every kind that the furnished shop has."""
    found = []
    for model, page in admin.site._registry.items():
        kinds = scope_of(model)
        if person.kind not in kinds and "user" not in kinds:
            continue
        row = next(
            (row for row in model._default_manager.all()[:3] if row not in own(person)), None
        )
        if row is not None:
            found.append((page, row))
    return found


def address(page: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{name}", args=args)


@people
def test_pages_of_hidden_rows_are_as_of_none(person, furnished):
    client, wrong, tried = client_of(person.user), {}, 0
    for page, row in foreign(person):
        for name in ("change", "history", "delete"):
            url = address(page, name, quote(row.pk))
            response = client.get(url)
            tried += 1
            # Django leads from what doesn't exist to the first page.
            is_nothing = response.get("Location") == "/admin/" and response.status_code == 302
            if not is_nothing and response.status_code not in (403, 404):
                wrong[url] = response.status_code
        for button in admin_actions._actions.get(page.model, {}):
            url = address(page, "do", quote(row.pk), button)
            tried += 1
            if (code := client.post(url).status_code) != 404:
                wrong[url] = code
    assert wrong == {}
    assert tried > (150 if person.kind == "store" else 40)


@people
def test_lists_are_empty_of_them(person, furnished):
    client, wrong = client_of(person.user), {}
    for page, _row in foreign(person):
        url = address(page, "changelist")
        response = client.get(url)
        changelist = (response.context_data or {}).get("cl")
        rows = {*changelist.result_list} - own(person) if changelist else set()
        # The audit log has what they did themselves.
        rows = {row for row in rows if getattr(row, "actor_user_id", None) != person.user.pk}
        if response.status_code != 200 or rows:
            wrong[url] = (response.status_code, rows)
    assert wrong == {}


@people
def test_choices_offer_only_what_is_theirs(person, furnished):
    """Of every foreign key and every list of keys, where somebody types and where they choose."""
    client, wrong, tried = client_of(person.user), {}, 0
    for model in admin.site._registry:
        for field in (*model._meta.fields, *model._meta.many_to_many):
            other = field.related_model and admin.site._registry.get(field.related_model)
            if other is None or person.kind not in scope_of(field.related_model):
                continue
            if not other.search_fields:
                continue
            tried += 1
            named = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
            answer = client.get("/admin/autocomplete/", {**named, "field_name": field.name})
            ids = {row["id"] for row in answer.json()["results"]}
            if ids - {str(row.pk) for row in own(person)}:
                wrong[f"{model._meta.label}.{field.name}"] = answer.json()
    assert wrong == {}
    assert tried > 3


@people
def test_files_of_hidden_rows_are_404(person, furnished):
    client = client_of(person.user)
    batch = InvoiceBatch.objects.create(invoices=[], created_by=furnished.owner)
    picks = PickList.objects.create(location=furnished.shop.near)
    photo = ReturnPhoto.objects.filter(request__isnull=False)[0]
    returns = ReturnRequest.objects.filter(kind=ReturnRequest.Kind.RETURN)
    awaited = returns.filter(status=states.APPROVED)[0]
    of_all = {
        "admin:invoices_invoice_batch": [batch.pk],
        "admin:invoices_invoice_batch_file": [batch.pk],
        "admin:orders_exportrun_file": [ExportRun.objects.exclude(file="")[0].public_id],
        "admin:fulfillment_printjob_file": [PrintJob.objects.all()[0].pk],
        "admin:returns_returnrequest_photo": [photo.request_id, photo.pk],
        "admin:returns_returnrequest_label": [awaited.pk],
        "admin:integrations_importjob_refused": [ImportJob.objects.all()[0].pk],
    }
    of_stores = {"admin:invoices_invoice_file": [Invoice.objects.all()[0].pk, "pdf"]}
    of_locations = {"admin:fulfillment_picklist_pick": [picks.pk]}
    named = {**of_all, **(of_stores if person.kind == "store" else of_locations)}
    codes = {name: client.get(reverse(name, args=args)).status_code for name, args in named.items()}
    assert codes == dict.fromkeys(named, 404)
    label = reverse("admin:returns_returnrequest_label", args=[awaited.pk])
    assert client_of(furnished.owner).get(label).status_code == 200
    for name, row in (
        ("admin:orders_bulkjob_cancel", BulkJob.objects.all()[0]),
        ("admin:integrations_importjob_run", ImportJob.objects.all()[0]),
    ):
        assert client.post(reverse(name, args=[row.pk])).status_code == 404


@pytest.mark.parametrize("person", ["store"], indirect=True)
def test_first_page_counts_only_what_is_theirs(person, furnished):
    """And whoever isn't limited sees that there is something to count."""
    shown = {}
    for name, user in (("limited", person.user), ("owner", furnished.owner)):
        context = client_of(user).get("/admin/").context_data
        shown[name] = (
            context["today"]["orders"],
            len(context["latest"]),
            len(context["sales"]["rows"]),
        )
    assert shown["limited"] == (0, 0, 0)
    assert min(shown["owner"]) > 0


@pytest.mark.parametrize("person", ["store"], indirect=True)
def test_actions_of_lists_reach_only_what_is_theirs(person, furnished):
    client, order = client_of(person.user), Order.objects.order_by("pk")[0]
    for action in ("export_csv", "change_many", "delete_selected"):
        data = {"action": action, "_selected_action": [order.pk]}
        response = client.post("/admin/orders/order/", data)
        body = b"".join(response) if response.streaming else response.content
        assert order.number.encode() not in body
    assert not BulkJob.objects.filter(created_by=person.user).exists()


@pytest.mark.parametrize("person", ["store"], indirect=True)
def test_forms_take_no_other_store(person, furnished):
    """Nor none at all, where that would mean every store."""
    client, main = client_of(person.user), Store.objects.get(code="main")
    form = client.get("/admin/pricing/price/add/").context_data["adminform"].form
    assert form.fields["store"].required
    assert {store.code for store in form.fields["store"].queryset} == {"other"}
    assert main not in form.fields["store"].queryset
    issue = client.get("/admin/payments/giftcard/add/").context_data["form"]
    assert {store.code for store in issue.fields["store"].queryset} == {"other"}
    assert client.get("/admin/stores/store/add/").status_code == 403
