"""Where a product lies, and when it arrives."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema

from apps.core.api.renderers import dumps
from apps.storefront.api import serializers
from apps.storefront.api.filters import FILTER_PARAMETERS
from apps.storefront.api.views import PublicView, next_change
from apps.storefront.selectors.availability import availability_json
from apps.storefront.selectors.queries import read_place
from apps.storefront.services.showing import show_product


class ProductAvailabilityView(PublicView):
    query_params = frozenset({"country", "postal_code", "currency"})

    @extend_schema(
        summary="Where a product's variants lie, and when they arrive",
        description=(
            "States and days, never counts: at pick-up points, and by the quickest delivery. Days"
            " are the store's, for an order placed now."
        ),
        parameters=[
            OpenApiParameter("country", str, description="ISO 3166-1; the store's without it."),
            OpenApiParameter("postal_code", str, description="Makes the answer more exact."),
            *(p for p in FILTER_PARAMETERS if p.name == "currency"),
        ],
        responses=serializers.ProductAvailabilitySerializer,
    )
    def get(self, request: Any, slug: str) -> HttpResponse:
        store, currency = self.context(request)
        now = timezone.now()
        address = read_place(request.query_params, store=store)
        shown = show_product(
            store_id=store.pk, currency=currency, slug=slug, at=now, group_id=self.group_id
        )
        variants = json.loads(shown.body)["variants"]
        found = availability_json(
            store=store, currency=currency, variants=variants, address=address, at=now
        )
        keys = f"product-{slug} products"
        return self.answer(dumps(found), keys, next_change(shown.changes))
