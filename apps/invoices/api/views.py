"""Invoices, for their customers and for the merchant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.core.api.permissions import Public, Staff, may_only
from apps.core.api.renderers import JSONRenderer
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.files import private_file
from apps.invoices import services
from apps.invoices.api.filters import InvoiceFilter
from apps.invoices.api.serializers import (
    InvoiceListSerializer,
    ReissueInput,
    StaffInvoiceSerializer,
)
from apps.invoices.engines.ubl import ubl
from apps.invoices.models import Invoice
from apps.invoices.selectors import invoice_json, invoice_of, invoices_of
from apps.orders.models import Order
from apps.orders.selectors import order_for_shopper, order_for_staff

TOKEN = OpenApiParameter("token", str, description="A guest's key to the order.")
PDF, XML = (200, "application/pdf"), (200, "application/xml")


class _Renderer(JSONRenderer):
    """Lets callers ask for the file; what is rendered are problems."""

    format = "file"

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type


class _Files:
    """Views of which the actions `pdf` and `xml` answer with files."""

    action: str

    def get_renderers(self) -> list[BaseRenderer]:
        files = [_Renderer(f"application/{self.action}")] if self.action in ("pdf", "xml") else []
        return [JSONRenderer(), *files]


def _download(invoice: Invoice, kind: str) -> HttpResponseBase:
    body = services.pdf_of(invoice=invoice) if kind == "pdf" else ubl(invoice).encode()
    return private_file(body, f"{invoice.number}.{kind}", f"application/{kind}")


class MyInvoicesView(_Files, PlainViewSet):
    """An own order's papers: a customer's, or a guest's by `?token=`."""

    permission_classes = [Public]
    query_params = frozenset({"token"})

    def _order(self, number: str) -> Order:
        # A machine shops for nobody, whoever its key belongs to.
        is_person = may_only(self.request) is None
        customer = getattr(self.request.user, "customer", None) if is_person else None
        return order_for_shopper(
            number=number[:30],
            customer_id=customer.pk if customer else None,
            token=self.request.query_params.get("token", "")[:100],
        )

    @extend_schema(
        summary="An order's invoices and credit notes",
        parameters=[TOKEN],
        responses=InvoiceListSerializer,
    )
    def papers(self, request: Any, number: str) -> Response:
        papers = invoices_of(self._order(number))
        return Response({"results": [invoice_json(paper) for paper in papers]})

    @extend_schema(
        summary="An invoice as PDF", parameters=[TOKEN], responses={PDF: OpenApiTypes.BINARY}
    )
    def pdf(self, request: Any, number: str, invoice_id: UUID) -> HttpResponse:
        return _download(invoice_of(self._order(number), invoice_id), "pdf")

    @extend_schema(
        summary="An invoice for machines",
        description="EN 16931: UBL 2.1, Peppol BIS Billing 3.0. 404 `not_en16931` for sales that"
        " the standard can't express.",
        parameters=[TOKEN],
        responses={XML: OpenApiTypes.STR},
    )
    def xml(self, request: Any, number: str, invoice_id: UUID) -> HttpResponse:
        return _download(invoice_of(self._order(number), invoice_id), "xml")


class InvoiceViewSet(_Files, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "invoices.view_invoice",
        "retrieve": "invoices.view_invoice",
        "pdf": "invoices.view_invoice",
        "xml": "invoices.view_invoice",
    }
    queryset = Invoice.objects.for_reading()
    serializer_class = StaffInvoiceSerializer
    filterset_class = InvoiceFilter
    search_fields = ("number", "buyer", "order__number")
    ordering_fields = {"issued": "pk", "total": "total"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List invoices and credit notes")
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = [invoice_json(invoice, for_staff=True) for invoice in page]
        return self.get_paginated_response(rows)

    @extend_schema(summary="An invoice or a credit note")
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        return Response(invoice_json(self.get_object(), for_staff=True))

    @extend_schema(summary="An invoice as PDF", responses={PDF: OpenApiTypes.BINARY})
    def pdf(self, request: Any, **kwargs: Any) -> HttpResponse:
        return _download(self.get_object(), "pdf")

    @extend_schema(
        summary="An invoice for machines",
        description="EN 16931: UBL 2.1, Peppol BIS Billing 3.0. 404 `not_en16931` for sales that"
        " the standard can't express.",
        responses={XML: OpenApiTypes.STR},
    )
    def xml(self, request: Any, **kwargs: Any) -> HttpResponse:
        return _download(self.get_object(), "xml")


class OrderInvoicesView(PlainViewSet):
    """The papers of one order, for staff."""

    permission_classes = [Staff]
    required_permissions = {
        "papers": "invoices.view_invoice",
        "issue": "invoices.add_invoice",
        "reissue": "invoices.add_invoice",
    }
    idempotent = frozenset({"issue", "reissue"})

    def _answer(self, number: str, status: int = 200) -> Response:
        papers = [invoice_json(paper) for paper in invoices_of(order_for_staff(number))]
        return Response({"results": papers}, status=status)

    @extend_schema(summary="An order's invoices and credit notes", responses=InvoiceListSerializer)
    def papers(self, request: Any, number: str) -> Response:
        return self._answer(number)

    @extend_schema(
        summary="Invoice an order",
        description="Whatever the store's choice; one that has an invoice gets no other.",
        request=None,
        responses={201: InvoiceListSerializer},
    )
    def issue(self, request: Any, number: str) -> Response:
        services.issue_invoice(order=order_for_staff(number))
        return self._answer(number, status=201)

    @extend_schema(
        summary="Credit an order's invoice and issue it anew",
        description="For a wrong name or address.",
        request=ReissueInput,
        responses={201: InvoiceListSerializer},
    )
    def reissue(self, request: Any, number: str) -> Response:
        data = ReissueInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.reissue_invoice(order=order_for_staff(number), **data.validated_data)
        return self._answer(number, status=201)
