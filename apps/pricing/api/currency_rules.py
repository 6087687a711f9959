"""Rules for prices in further currencies, for staff and their systems."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.pricing import services
from apps.pricing.api.filters import CurrencyRuleFilter
from apps.pricing.api.serializers import (
    CurrencyRuleChangeSerializer,
    CurrencyRuleInputSerializer,
    CurrencyRuleSerializer,
)
from apps.pricing.models import CurrencyRule


class CurrencyRuleViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "pricing.view_currencyrule",
        "retrieve": "pricing.view_currencyrule",
        "create": "pricing.add_currencyrule",
        "partial_update": "pricing.change_currencyrule",
        "destroy": "pricing.delete_currencyrule",
    }
    queryset = CurrencyRule.objects.select_related("store")
    serializer_class = CurrencyRuleSerializer
    filterset_class = CurrencyRuleFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List currency rules", tags=["prices"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A currency rule", tags=["prices"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Derive a store's prices in a currency",
        description="A variant without a price in `currency` gets its price in `base` by the"
        " latest exchange rate, with the surcharge, rounded to `round_to` less `minus`.",
        request=CurrencyRuleInputSerializer,
        responses={201: CurrencyRuleSerializer},
        tags=["prices"],
    )
    def create(self, request: Any) -> Response:
        data = CurrencyRuleInputSerializer(data=request.data, context={"currency": ""})
        data.is_valid(raise_exception=True)
        changes = data.validated_data
        return _detail(services.save_currency_rule(rule=CurrencyRule(), changes=changes), 201)

    @extend_schema(
        summary="Change a currency rule",
        request=CurrencyRuleChangeSerializer,
        responses={200: CurrencyRuleSerializer},
        tags=["prices"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        rule = self.get_object()
        check_if_match(request, rule)
        context = {"currency": rule.currency}
        data = CurrencyRuleChangeSerializer(data=request.data, partial=True, context=context)
        data.is_valid(raise_exception=True)
        changes = data.validated_data
        return _detail(services.save_currency_rule(rule=rule, changes=changes))

    @extend_schema(
        summary="Delete a currency rule",
        description="What has no price of its own is no longer for sale in the currency.",
        responses={204: None},
        tags=["prices"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_currency_rule(rule=self.get_object())
        return Response(status=204)


def _detail(rule: CurrencyRule, status: int = 200) -> Response:
    # What was just written has Python's own digits, the database its columns'.
    rule.refresh_from_db(fields=["surcharge"])
    body = CurrencyRuleSerializer(rule).data
    return Response(body, status=status, headers={"ETag": etag_of(rule)})
