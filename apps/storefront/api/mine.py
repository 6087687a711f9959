"""The same for a customer who signed in: with what only their group sees, and kept by nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.encoding import iri_to_uri
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.settings import api_settings

from apps.core.api.permissions import SignedIn
from apps.customers.selectors import group_id_of
from apps.storefront.api import views
from apps.storefront.api.availability import ProductAvailabilityView

_OF_MINE = "With what is only for the customer group I belong to; `private, no-store`."


class Mine:
    """Before a view of what anybody may read."""

    authentication_classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = (SignedIn,)
    public_bytes = False
    request: Any

    @property
    def group_id(self) -> int | None:
        # Looking makes nobody a customer.
        return group_id_of(getattr(self.request.user, "customer", None))

    def answer(self, body: bytes, keys: str, until: datetime | None = None) -> HttpResponse:
        return _private(HttpResponse(body, content_type="application/json"))

    def moved_to(self, address: str, keys: str) -> HttpResponse:
        return _private(HttpResponse(status=308, headers={"Location": iri_to_uri(address)}))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def _described(summary: str) -> Any:
    return extend_schema_view(
        get=extend_schema(summary=summary, description=_OF_MINE, tags=["account"])
    )


@_described("List, filter and search the products I may buy")
class MyProductListView(Mine, views.ProductListView):
    pass


@_described("Count the products I may buy")
class MyProductFacetsView(Mine, views.ProductFacetsView):
    pass


@_described("What I may mean, of the products I may buy")
class MySuggestView(Mine, views.SuggestView):
    pass


@_described("Show a product I may buy")
class MyProductPageView(Mine, views.ProductPageView):
    pass


@_described("Where a product I may buy lies, and when it arrives")
class MyProductAvailabilityView(Mine, ProductAvailabilityView):
    pass
