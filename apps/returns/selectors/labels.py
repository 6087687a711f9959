"""What carriers are told of a return, and the paper that customers put on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.core.addresses import address_lines
from apps.core.errors import NotFound
from apps.core.files import PDF
from apps.core.pdf import FONT, draw_code128, new_pdf
from apps.fulfillment.selectors import (
    LEAST_WEIGHT,
    carrier_address,
    customs_item,
    is_border,
    place_address,
)
from apps.inventory.models import Location
from apps.inventory.selectors import locations_of
from apps.returns import states
from apps.returns.models import ReturnLabel, ReturnRequest
from apps.shipping.carriers.base import LabelRequest, Package
from apps.taxes.engines.territories import territory

if TYPE_CHECKING:
    from fpdf import FPDF

_LEFT, _WIDTH = 15, 180


def label_request(label: ReturnLabel) -> LabelRequest:
    """What the carrier of a return's label is asked for."""
    found = ReturnRequest.objects.select_related("order__store").get(pk=label.request_id)
    order, place = found.order, label.location
    sender = order.shipping_address or order.billing_address
    lines = list(found.lines.select_related("order_line__variant"))
    to = {**(place.address or {}), "country": place.country}
    crosses = is_border(territory(sender), territory(to))
    weight = sum(line.order_line.weight * line.quantity for line in lines)
    return LabelRequest(
        key=str(label.public_id),
        service=label.service,
        origin=carrier_address(sender, email=order.email),
        destination=place_address(place, company=order.store.name),
        package=Package(weight=max(weight, LEAST_WEIGHT)),
        reference=found.number,
        customs=tuple(customs_item(x.order_line, x.quantity, order.currency) for x in lines)
        if crosses
        else (),
        is_return=True,
    )


def label_document(request: ReturnRequest) -> tuple[bytes, str]:
    """The bought label of a return that is to be sent, and its content type; without one the paper
    with its number, to be sent by any carrier. Raises NotFound."""
    if request.status != states.APPROVED or request.is_claim:
        raise NotFound()
    label = request.labels.filter(is_alive=True, status=ReturnLabel.Status.BOUGHT).first()
    if label is not None:
        return bytes(label.document), label.content_type
    if request.labels.filter(is_alive=True).exists():
        # It is there in a moment.
        raise NotFound()
    return _slip(request, locations_of(request.order.store_id).first()), PDF


def _slip(request: ReturnRequest, place: Location | None) -> bytes:
    """From whom, to whom, the return's number as a barcode, and what is in the parcel."""
    order = request.order
    to = [order.store.name]
    if place is not None:
        to += address_lines({**(place.address or {}), "country": place.country})
    with override(order.language):
        pdf = new_pdf(title=request.number, made_at=timezone.now(), language=order.language)
        pdf.add_page()
        pdf.set_font(FONT, style="B", size=16)
        pdf.cell(_WIDTH, 8, _("Return %s") % request.number)
        _block(pdf, 30, _("From"), address_lines(order.shipping_address or order.billing_address))
        _block(pdf, 75, _("To"), to, size=14)
        if request.number.isascii():
            draw_code128(pdf, request.number, x=_LEFT, y=130, width=100, height=22)
        pdf.set_xy(_LEFT, 154)
        pdf.set_font(FONT, size=12)
        pdf.cell(_WIDTH, 6, f"{request.number} · {_('Order')} {order.number}")
        lines = [
            f"{line.quantity} × {line.order_line.name} ({line.order_line.sku})"
            for line in request.lines.select_related("order_line")
        ]
        _block(pdf, 170, _("Contents"), lines)
        return bytes(pdf.output())


def _block(pdf: FPDF, y: float, title: str, lines: list[str], *, size: int = 10) -> None:
    pdf.set_xy(_LEFT, y)
    pdf.set_font(FONT, style="B", size=10)
    pdf.cell(_WIDTH, 5, title)
    pdf.set_xy(_LEFT, y + 6)
    pdf.set_font(FONT, size=size)
    pdf.multi_cell(_WIDTH, size / 2, "\n".join(lines))
