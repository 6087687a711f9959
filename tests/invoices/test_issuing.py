"""When an order is invoiced, what its papers say, and what takes them back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from apps.checkout.services import split_order
from apps.core import outbox
from apps.fulfillment.services import fulfill
from apps.invoices import services
from apps.invoices.models import Invoice, InvoiceSettings
from apps.notifications.models import Notification
from apps.orders.models import Order, OrderLine
from apps.orders.services import cancel
from apps.payments.gateways import gateway
from apps.payments.services import apply_state, capture, refund
from apps.stores.models import Sequence, Store
from tests.flows.conftest import simulator
from tests.flows.test_stripe import VISA
from tests.invoices.conftest import ordered, paid
from tests.truths import untruths

__all__ = ["simulator"]
pytestmark = pytest.mark.usefixtures("invariants")
YEAR = timezone.now().year


def papers(order):
    """(kind, total) of an order's, the first one first."""
    return list(order.invoices.order_by("pk").values_list("kind", "total"))


def give_back(order, amount=None, reason=""):
    refund(payment=order.payments.get(), amount=amount, reason=reason)
    outbox.drain()
    order.refresh_from_db()


def test_paid_order_is_invoiced_once_with_what_it_was_sold_for(buyer):
    order = paid(buyer)
    [invoice] = order.invoices.all()
    assert (invoice.number, invoice.kind) == (f"WEB-INV-{YEAR}-00001", "invoice")
    # Two mugs of 12.00 and the parcel of 4.95 hold 21 %, the book of 20.00 4 %.
    assert (invoice.net, invoice.tax, invoice.total) == (4315, 580, 4895)
    assert (invoice.net + invoice.tax, invoice.tax) == (order.total, order.tax)
    content = invoice.content
    assert content["taxes"] == [
        {"name": "IVA 21 %", "percent": "21", "net": 2392, "tax": 503},
        {"name": "IVA 4 %", "percent": "4", "net": 1923, "tax": 77},
    ]
    assert [(x["n"], x["sku"], x["quantity"], x["net"]) for x in content["lines"]] == [
        (1, "MUG", 2, 1983),
        (2, "BOOK", 1, 1923),
        (3, "", 1, 409),
    ]
    assert content["seller"]["vat_number"] == "ESB12345674"
    assert (content["buyer"]["last_name"], content["paid"]) == ("García", order.total)
    assert services.issue_invoice(order=order) == invoice
    assert order.timeline.filter(kind="invoice_issued").count() == 1


@pytest.mark.parametrize(
    ("issue_on", "numbers"),
    [("confirmed", (1, 1, 1)), ("paid", (0, 1, 1)), ("shipped", (0, 0, 1)), ("manual", (0, 0, 0))],
)
def test_store_chooses_when_orders_are_invoiced(buyer, shop, issue_on, numbers):
    InvoiceSettings.objects.update(issue_on=issue_on)
    order, seen = ordered(buyer), []
    outbox.drain()
    seen.append(order.invoices.count())
    capture(payment=order.payments.get())
    outbox.drain()
    seen.append(order.invoices.count())
    fulfill(order=order)
    outbox.drain()
    seen.append(order.invoices.count())
    assert tuple(seen) == numbers


def test_store_without_settings_invoices_nothing(buyer, shop):
    InvoiceSettings.objects.all().delete()
    assert papers(paid(buyer)) == []


def test_unpaid_order_says_until_when_it_is_to_be_paid(buyer, shop):
    InvoiceSettings.objects.update(issue_on="confirmed", due_days=30)
    with time_machine.travel(datetime(2030, 5, 6, 12, tzinfo=UTC), tick=False):
        order = ordered(buyer)
        outbox.drain()
    [invoice] = order.invoices.all()
    assert (invoice.number, invoice.content["due_on"]) == ("WEB-INV-2030-00001", "2030-06-05")
    assert invoice.content["paid"] == 0


def test_numbers_begin_anew_every_year_in_the_stores_own_time(buyer, shop):
    Store.objects.update(time_zone="Pacific/Kiritimati")  # fourteen hours before UTC
    with time_machine.travel(datetime(2030, 12, 30, 12, tzinfo=UTC)):
        first = paid(buyer, ("BOOK", 1))
    with time_machine.travel(datetime(2030, 12, 31, 12, tzinfo=UTC)):
        second, third = paid(buyer, ("BOOK", 1)), paid(buyer, ("BOOK", 1))
    numbers = [order.invoices.get().number for order in (first, second, third)]
    assert numbers == ["WEB-INV-2030-00001", "WEB-INV-2031-00001", "WEB-INV-2031-00002"]


def test_what_was_issued_cannot_be_changed(buyer, shop):
    invoice = paid(buyer).invoices.get()
    for change in (
        invoice.save,
        invoice.delete,
        lambda: Invoice.objects.filter(pk=invoice.pk).update(total=1),
        Invoice.objects.all().delete,
        lambda: Invoice.objects.bulk_update([invoice], ["total"]),
    ):
        with pytest.raises(TypeError), transaction.atomic():
            change()
    Store.objects.update(legal_name="Somebody else")
    OrderLine.objects.update(name="Something else")
    invoice.refresh_from_db()
    assert invoice.content["seller"]["name"] == "Tazas y Libros S.L."
    assert invoice.content["lines"][0]["name"] == "Mug"


def test_refunds_are_credited_over_lines_and_rates_until_nothing_is_left(buyer, shop):
    order = paid(buyer)
    give_back(order, 1000, reason="Scratched")
    give_back(order, 1)
    give_back(order)
    assert papers(order) == [
        ("invoice", 4895),
        ("credit_note", 1000),
        ("credit_note", 1),
        ("credit_note", 3894),
    ]
    notes = list(order.invoices.filter(kind="credit_note").order_by("pk"))
    first = notes[0]
    assert (first.number, first.reason) == (f"WEB-CN-{YEAR}-00001", "Scratched")
    assert first.corrects == order.invoices.get(kind="invoice")
    assert first.refund.amount == 1000
    # 24.00, 20.00 and 4.95 give 4.90, 4.09 and 1.01.
    assert [line["net"] for line in first.content["lines"]] == [405, 393, 83]
    assert sum(note.tax for note in notes) == order.invoices.get(kind="invoice").tax


def test_refund_at_the_providers_dashboard_is_credited(buyer, simulator):
    """No refund of ours asked for it; it comes by a webhook, or by the nightly comparison."""
    buyer.fill(("MUG", 2), ("BOOK", 1))
    answer = buyer.checkout("stripe", method=VISA)
    outbox.drain()
    order = Order.objects.get(number=answer.json()["order"]["number"])
    payment = order.payments.get()
    gateway("stripe").refund(payment.provider_id, amount=300, reason="", key="at-the-dashboard")
    for _ in range(2):
        apply_state(payment=payment, state=gateway("stripe").fetch(payment.provider_id))
        outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 300)]


def test_refund_that_is_told_twice_is_credited_once(buyer, shop):
    order = paid(buyer)
    given = refund(payment=order.payments.get(), amount=500)
    for _time in range(3):
        services.credit_refund(refund_id=str(given.public_id))
    outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 500)]


def test_two_refunds_have_a_note_each_in_whichever_order_they_are_told(buyer, shop):
    order = paid(buyer)
    payment = order.payments.get()
    given = [refund(payment=payment, amount=amount) for amount in (300, 700)]
    for each in reversed(given):
        services.credit_refund(refund_id=str(each.public_id))
    outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 700), ("credit_note", 300)]


def test_cancelled_order_is_credited_whole_once(buyer, shop):
    order = paid(buyer)
    give_back(order, 1000)
    cancel(order=order)
    outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 1000), ("credit_note", 3895)]
    with pytest.raises(services.NothingToInvoice):
        services.issue_invoice(order=order)


def test_cancelled_order_that_was_never_paid_is_credited(buyer, shop):
    InvoiceSettings.objects.update(issue_on="confirmed")
    order = ordered(buyer)
    outbox.drain()
    cancel(order=order)
    outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 4895)]


def test_refund_of_an_order_without_an_invoice_needs_none(buyer, shop):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    give_back(order, 1000)
    assert papers(order) == []
    # Invoiced later, what was given back is credited with it.
    services.issue_invoice(order=order)
    assert papers(order) == [("invoice", 4895), ("credit_note", 1000)]


def _edit(order, quantity):
    """As an edit leaves an order: another quantity of the mug, another sum."""
    line = order.lines.get(sku="MUG")
    delta = (quantity - line.quantity) * line.unit_price
    OrderLine.objects.filter(pk=line.pk).update(
        quantity=quantity, subtotal=quantity * 1200, total=quantity * 1200, tax=quantity * 208
    )
    taxes = sum(order.lines.values_list("tax", flat=True)) + 86
    Order.objects.filter(pk=order.pk).update(
        subtotal=order.subtotal + delta, total=order.total + delta, tax=taxes
    )
    order.refresh_from_db()


def test_edited_order_is_credited_whole_and_invoiced_anew(buyer, shop):
    InvoiceSettings.objects.update(issue_on="confirmed")
    order = ordered(buyer)
    outbox.drain()
    _edit(order, 1)
    written = services.bring_up_to_date(order=order, reason="One mug less")
    assert [paper.kind for paper in written] == ["credit_note", "invoice"]
    assert papers(order) == [("invoice", 4895), ("credit_note", 4895), ("invoice", 3695)]
    assert services.bring_up_to_date(order=order) == []


def test_edit_after_a_refund_leaves_what_is_worth(buyer, shop):
    order = paid(buyer)
    give_back(order, 700)
    with transaction.atomic():
        _edit(order, 1)
        services.bring_up_to_date(order=order)
        # 48.95 were captured for an order of 36.95: all of the 7.00 was beyond its total.
        assert papers(order)[2:] == [("credit_note", 4195), ("invoice", 3695)]
        transaction.set_rollback(True)


def test_wrong_address_is_corrected_by_issuing_anew(buyer, shop):
    order = paid(buyer)
    Order.objects.filter(pk=order.pk).update(
        billing_address={**order.shipping_address, "company": "García e Hijas S.A."}
    )
    invoice = services.reissue_invoice(order=order, reason="The company's name")
    assert invoice.buyer == "García e Hijas S.A."
    assert papers(order) == [("invoice", 4895), ("credit_note", 4895), ("invoice", 4895)]


def test_order_that_is_worth_nothing_cannot_be_invoiced(buyer, shop):
    pending = Order.objects.create(
        number="WEB-99", store=shop.store, email="a@example.com", currency="EUR",
        subtotal=100, total=100,
    )  # fmt: skip
    with pytest.raises(services.NothingToInvoice):
        services.issue_invoice(order=pending)
    Order.objects.all().delete()


def test_seller_without_a_name_cannot_invoice(buyer, shop):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    Store.objects.update(legal_name="")
    with pytest.raises(services.SellerIncomplete):
        services.issue_invoice(order=order)
    assert not Sequence.objects.filter(kind__startswith="invoice:").exists()


def test_lines_that_do_not_add_up_are_refused(buyer, shop):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(total=order.total + 1)
        with pytest.raises(services.LinesDisagree):
            services.issue_invoice(order=order)
        transaction.set_rollback(True)


def test_missing_invoices_are_issued_and_papers_that_drifted_are_corrected(buyer, shop):
    InvoiceSettings.objects.update(issue_on="manual")
    first, second = paid(buyer), paid(buyer, ("BOOK", 2))
    services.issue_invoice(order=second)
    InvoiceSettings.objects.update(issue_on="paid")
    # Given back at the gateway's own pages: no event tells of it.
    with transaction.atomic():
        Order.objects.filter(pk=second.pk).update(refunded_amount=500)
        found = untruths()["invoices less credit notes are what an order is worth"]
        assert found == [f"{second.number}: papers 4495, worth 3995"]
        assert services.issue_missing(store=shop.store) == (2, [])
        assert services.issue_missing(store=shop.store) == (0, [])
        assert papers(first) == [("invoice", 4895)]
        assert papers(second) == [("invoice", 4495), ("credit_note", 500)]
        transaction.set_rollback(True)


def test_customer_is_mailed_once_for_each_paper(buyer, shop):
    order = paid(buyer)
    give_back(order, 500)
    for invoice in order.invoices.all():
        services.mail_invoice(invoice_id=str(invoice.public_id))
    mails = Notification.objects.filter(kind__startswith="invoices/").order_by("pk")
    assert [mail.subject for mail in mails] == [
        f"Main: invoice WEB-INV-{YEAR}-00001 for order {order.number}",
        f"Main: credit note WEB-CN-{YEAR}-00001 for order {order.number}",
    ]
    assert order.token in mails[0].body_text
    InvoiceSettings.objects.update(is_mailed=False)
    paid(buyer)
    assert mails.count() == 2


def test_a_split_orders_invoice_is_credited_and_both_are_invoiced(buyer):
    order = paid(buyer)
    book = str(order.lines.get(sku="BOOK").public_id)
    new = split_order(order=order, pieces={book: 1})
    outbox.drain()
    assert papers(order) == [("invoice", 4895), ("credit_note", 4895), ("invoice", 2895)]
    assert papers(new) == [("invoice", 2000)]
    [invoice] = new.invoices.all()
    assert (invoice.content["paid"], invoice.content["taxes"]) == (
        2000,
        [{"name": "IVA 4 %", "percent": "4", "net": 1923, "tax": 77}],
    )


def test_a_split_order_that_staff_invoiced_is_invoiced_whole(buyer, shop):
    InvoiceSettings.objects.update(issue_on="manual")
    order = ordered(buyer)
    services.issue_invoice(order=order)
    new = split_order(order=order, pieces={str(order.lines.get(sku="BOOK").public_id): 1})
    outbox.drain()
    assert papers(new) == [("invoice", 2000)]
