"""Addresses of the orders' API, without prefix. Merchants' `orders/` is in commerce/api.py."""

from django.urls import path

from apps.orders.api.reports import OSSReportView
from apps.orders.api.views import MyOrdersView, MyOrderView, OrderView

storefront = [
    path("orders/", MyOrdersView.as_view({"get": "list"})),
    path("orders/<str:number>/", MyOrderView.as_view({"get": "retrieve"})),
    path("orders/<str:number>/cancel/", MyOrderView.as_view({"post": "cancel"})),
]

admin = [
    path("reports/oss/", OSSReportView.as_view({"get": "retrieve"})),
    path("orders/<str:number>/", OrderView.as_view({"get": "retrieve"})),
    path("orders/<str:number>/status/", OrderView.as_view({"put": "status"})),
    path("orders/<str:number>/cancel/", OrderView.as_view({"post": "cancel"})),
    path("orders/<str:number>/notes/", OrderView.as_view({"post": "note"})),
]
