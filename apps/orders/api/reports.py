"""Reports that staff read."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import MoneyDocument, RowField, StrictSerializer
from apps.core.api.views import PlainViewSet
from apps.core.money import money_json
from apps.orders.selectors.oss import (
    EURO,
    THRESHOLD,
    cross_border_sales,
    oss_report,
    quarter_of,
)
from apps.stores.models import Store


class OSSQuery(StrictSerializer):
    store = RowField(Store.objects.all(), help_text="A store's code.")
    quarter = serializers.CharField(max_length=6, help_text="2026Q3.")

    def validate_quarter(self, value: str) -> tuple[date, date]:
        try:
            return quarter_of(value)
        except ValueError as error:
            raise serializers.ValidationError(_("A quarter is written like 2026Q3.")) from error


class OSSRowSerializer(serializers.Serializer[Any]):
    country = serializers.CharField(help_text="Of consumption, ISO 3166-1 alpha-2.")
    percent = serializers.CharField()
    net = MoneyDocument()
    tax = MoneyDocument()
    orders = serializers.IntegerField()


class OSSReportSerializer(serializers.Serializer[Any]):
    first = serializers.DateField()
    last = serializers.DateField()
    results = OSSRowSerializer(many=True)
    cross_border_sales = MoneyDocument(
        help_text="To consumers in other EU countries in the quarter's year, without tax."
    )
    threshold = MoneyDocument(help_text="Of those sales: beyond it the One-Stop-Shop is due.")


class OSSReportView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "orders.view_order"}
    query_params = frozenset(OSSQuery().fields)

    @extend_schema(
        summary="The One-Stop-Shop return of a quarter",
        description="By country and rate, in euro at the European Central Bank's rate of the last"
        " day. 400 `no_exchange_rate` where a currency has none.",
        parameters=[OSSQuery],
        responses={200: OSSReportSerializer},
        tags=["taxes"],
    )
    def retrieve(self, request: Any) -> Response:
        data = OSSQuery(data=request.query_params.dict())
        data.is_valid(raise_exception=True)
        store, (first, last) = data.validated_data["store"], data.validated_data["quarter"]
        rows = oss_report(store=store, first=first, last=last)
        year = cross_border_sales(store=store, year=first.year)
        report = {
            "first": first,
            "last": last,
            "results": [
                {
                    "country": row.country,
                    "percent": row.percent,
                    "net": money_json(row.net, EURO),
                    "tax": money_json(row.tax, EURO),
                    "orders": row.orders,
                }
                for row in rows
            ],
            "cross_border_sales": money_json(year, EURO),
            "threshold": money_json(THRESHOLD, EURO),
        }
        return Response(OSSReportSerializer(report).data)
