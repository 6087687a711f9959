"""What was searched for, for staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import RowField, StrictSerializer
from apps.core.api.views import PlainViewSet
from apps.storefront.selectors.searches import DAYS, search_report
from apps.stores.models import Store


class SearchReportQuery(StrictSerializer):
    to = serializers.DateField(required=False, help_text="The last day; today without it.")
    zero = serializers.BooleanField(default=False, help_text="Only such as found nothing.")
    store = RowField(Store.objects.all(), required=False, help_text="A store's code.")
    limit = serializers.RegexField(
        r"^(100|[1-9][0-9]?)\Z", default="24", help_text="How many at most: from 1 to 100."
    )

    def get_fields(self) -> dict[str, Any]:
        since = serializers.DateField(
            required=False, help_text=f"The first day; {DAYS} days without it."
        )
        return {"from": since, **super().get_fields()}


class SearchCountSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(source="store__code")
    phrase = serializers.CharField()
    searches = serializers.IntegerField(source="total")
    without_result = serializers.IntegerField(source="total_without")


class SearchReportSerializer(serializers.Serializer[Any]):
    results = SearchCountSerializer(many=True)


class SearchReportView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "storefront.view_searchquery"}
    query_params = frozenset(SearchReportQuery().fields)

    @extend_schema(
        summary="What was searched for, the most frequent first",
        description="Counts of days, without anybody: at most `limit` of them.",
        parameters=[SearchReportQuery],
        responses={200: SearchReportSerializer},
        tags=["search"],
    )
    def retrieve(self, request: Any) -> Response:
        data = SearchReportQuery(data=request.query_params.dict())
        data.is_valid(raise_exception=True)
        asked = data.validated_data
        until = asked.get("to") or timezone.localdate()
        rows = search_report(
            since=asked.get("from") or until - timedelta(days=DAYS - 1),
            until=until,
            store=asked["store"].code if asked.get("store") else None,
            zero=asked["zero"],
        )
        return Response(SearchReportSerializer({"results": rows[: int(asked["limit"])]}).data)
