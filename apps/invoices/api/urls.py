"""Addresses of the invoices' API, without prefix."""

from django.urls import path

from apps.invoices.api.views import InvoiceViewSet, MyInvoicesView, OrderInvoicesView

_MINE = "orders/<str:number>/invoices/"
_ONE = "invoices/<uuid:id>/"

storefront = [
    path(_MINE, MyInvoicesView.as_view({"get": "papers"})),
    path(f"{_MINE}<uuid:invoice_id>/pdf/", MyInvoicesView.as_view({"get": "pdf"})),
    path(f"{_MINE}<uuid:invoice_id>/xml/", MyInvoicesView.as_view({"get": "xml"})),
]

admin = [
    path("invoices/", InvoiceViewSet.as_view({"get": "list"})),
    path(_ONE, InvoiceViewSet.as_view({"get": "retrieve"})),
    path(f"{_ONE}pdf/", InvoiceViewSet.as_view({"get": "pdf"})),
    path(f"{_ONE}xml/", InvoiceViewSet.as_view({"get": "xml"})),
    path(_MINE, OrderInvoicesView.as_view({"get": "papers", "post": "issue"})),
    path(f"{_MINE}reissue/", OrderInvoicesView.as_view({"post": "reissue"})),
]
