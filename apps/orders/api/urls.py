"""Addresses of the orders' API, without prefix. Merchants' `orders/` is in commerce/api.py."""

from django.urls import path

from apps.orders.api.approvals import ApprovalViewSet
from apps.orders.api.bulk import BulkView
from apps.orders.api.edits import OrderEditView
from apps.orders.api.exports import OrderExportView
from apps.orders.api.organizing import OrderTagsView, OrganizingView
from apps.orders.api.reports import OSSReportView
from apps.orders.api.saved_exports import ExportRunView, SavedExportView
from apps.orders.api.views import MyOrdersView, MyOrderView, OrderView

storefront = [
    path("orders/", MyOrdersView.as_view({"get": "list"})),
    path("orders/<str:number>/", MyOrderView.as_view({"get": "retrieve"})),
    path("orders/<str:number>/cancel/", MyOrderView.as_view({"post": "cancel"})),
]

admin = [
    path("approvals/", ApprovalViewSet.as_view({"get": "list"})),
    path("approvals/<uuid:id>/", ApprovalViewSet.as_view({"get": "retrieve"})),
    path("approvals/<uuid:id>/approve/", ApprovalViewSet.as_view({"post": "approve"})),
    path("approvals/<uuid:id>/refuse/", ApprovalViewSet.as_view({"post": "refuse"})),
    path("reports/oss/", OSSReportView.as_view({"get": "retrieve"})),
    path("order-tags/", OrderTagsView.as_view({"get": "list"})),
    # Before a number: none is a word like these.
    path("orders/bulk/", BulkView.as_view({"get": "list", "post": "create"})),
    path("orders/bulk/<uuid:id>/", BulkView.as_view({"get": "retrieve"})),
    path("orders/bulk/<uuid:id>/cancel/", BulkView.as_view({"post": "cancel"})),
    path("orders/export/", OrderExportView.as_view({"get": "list"})),
    path("orders/exports/", SavedExportView.as_view({"get": "list", "post": "create"})),
    path(
        "orders/exports/<uuid:id>/",
        SavedExportView.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("orders/export-runs/", ExportRunView.as_view({"get": "list"})),
    path("orders/export-runs/<uuid:id>/", ExportRunView.as_view({"get": "retrieve"})),
    path("orders/export-runs/<uuid:id>/file/", ExportRunView.as_view({"get": "file"})),
    path("orders/<str:number>/", OrderView.as_view({"get": "retrieve"})),
    path("orders/<str:number>/status/", OrderView.as_view({"put": "status"})),
    path("orders/<str:number>/cancel/", OrderView.as_view({"post": "cancel"})),
    path("orders/<str:number>/edit/", OrderEditView.as_view({"post": "edit"})),
    path("orders/<str:number>/cancel-lines/", OrderEditView.as_view({"post": "cancel_lines"})),
    path("orders/<str:number>/notes/", OrderView.as_view({"post": "note"})),
    path("orders/<str:number>/tags/", OrganizingView.as_view({"put": "tags"})),
    path("orders/<str:number>/assignee/", OrganizingView.as_view({"put": "assign"})),
]
