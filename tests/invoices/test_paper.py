"""The PDF: what it says can be read back, in both languages; it is drawn once and stays."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image
from pypdf import PdfReader

from apps.core import outbox
from apps.invoices import services
from apps.invoices.engines.paper import draw
from apps.invoices.models import InvoiceSettings
from apps.orders.models import Order
from apps.payments.services import refund
from apps.stores.models import Store
from tests.invoices.conftest import paid

pytestmark = pytest.mark.usefixtures("invariants")


def pages(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(data)).pages]


def test_paper_says_who_what_how_much_and_why(buyer):
    InvoiceSettings.objects.update(footer="Registro Mercantil de Madrid, hoja M-7890")
    order = paid(buyer)
    invoice = order.invoices.get()
    [text] = pages(services.pdf_of(invoice=invoice))
    for said in (
        f"Invoice {invoice.number}",
        "Tazas y Libros S.L. Calle del Pez 7 28004 Madrid Spain ESB12345674",
        "Ana García Calle Mayor 1 28013 Madrid M Spain",
        f"Order {order.number}",
        "Mug MUG 2 €12.00 21 % €19.83 €24.00",
        "IVA 21 % €23.92 €5.03",
        "IVA 4 % €19.23 €0.77",
        "Total without tax €43.15",
        "Total €48.95",
        "Outstanding €0.00",
        "Registro Mercantil de Madrid, hoja M-7890",
        "1/1",
    ):
        assert said in text, (said, text)


def test_credit_note_in_the_customers_language_names_its_invoice(buyer):
    order = paid(buyer)
    Order.objects.filter(pk=order.pk).update(language="es")
    refund(payment=order.payments.get(), amount=1000, reason="Taza rota")
    outbox.drain()
    invoice, note = order.invoices.order_by("pk")
    [text] = pages(services.pdf_of(invoice=note))
    assert "10,00 €" in text
    assert "21 %" in text
    assert "Taza rota" in text
    assert invoice.number in text


def test_long_invoice_repeats_its_heads_and_says_why_no_tax_is_due(buyer):
    invoice = paid(buyer).invoices.get()
    invoice.content["lines"] *= 20
    invoice.content["tax_note"] = "Reverse charge: article 138."
    found = pages(draw(invoice))
    assert len(found) > 2
    assert "Reverse charge: article 138." in found[-1]
    assert all("Item Pieces Price Tax Without tax Total" in text for text in found[:-1])
    assert [f"{n}/{len(found)}" in text for n, text in enumerate(found, 1)] == [True] * len(found)


def test_paper_is_drawn_once_and_stays_as_it_was(buyer):
    invoice = paid(buyer).invoices.get()
    first = services.pdf_of(invoice=invoice)
    assert draw(invoice) == first
    assert storages["private"].exists(f"invoices/{invoice.year}/{invoice.public_id}.pdf")
    Store.objects.update(name="Another")
    picture = BytesIO()
    Image.new("RGB", (40, 10), (0, 90, 160)).save(picture, "PNG")
    known = InvoiceSettings.objects.get()
    known.logo.save("logo.png", ContentFile(picture.getvalue()))
    assert services.pdf_of(invoice=invoice) == first
    other = paid(buyer).invoices.get()
    images = PdfReader(BytesIO(services.pdf_of(invoice=other))).pages[0].images
    assert [image.image.size for image in images] == [(40, 10)]


def test_many_become_one_file_in_their_order(buyer):
    rows = [paid(buyer, ("BOOK", 1)).invoices.get() for _number in range(2)]
    with pytest.raises(services.BadBatch):
        services.ask_batch(invoices=[], user=None)
    batch = services.ask_batch(invoices=[row.pk for row in reversed(rows)], user=None)
    assert (batch.status, batch.done) == ("running", 0)
    outbox.drain()
    batch.refresh_from_db()
    assert (batch.status, batch.done) == ("done", 2)
    with storages["private"].open(batch.file_name) as file:
        found = pages(file.read())
    assert [row.number in text for row, text in zip(reversed(rows), found, strict=True)] == [
        True
    ] * 2
    now = timezone.now()
    assert services.forget_batches(now=now + timedelta(days=6)) == 0
    assert services.forget_batches(now=now + timedelta(days=8)) == 1
    assert not storages["private"].exists(batch.file_name)
    assert storages["private"].exists(rows[0].file_name)
