from django.urls import path

from apps.integrations.api import views

admin = [
    path("imports/", views.ImportViewSet.as_view({"get": "list", "post": "create"})),
    path("imports/<uuid:id>/", views.ImportViewSet.as_view({"get": "retrieve"})),
    path("imports/<uuid:id>/run/", views.ImportViewSet.as_view({"post": "run"})),
    path("imports/<uuid:id>/errors/", views.ImportErrorsViewSet.as_view({"get": "retrieve"})),
    path("customers/export/", views.CustomerExportViewSet.as_view({"get": "list"})),
    path("products/export/", views.ProductExportViewSet.as_view({"get": "list"})),
]
