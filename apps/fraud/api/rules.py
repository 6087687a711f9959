"""Rules, lists and settings, for staff and API keys."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.core.errors import NotFound
from apps.core.scopes import scoped
from apps.fraud import services
from apps.fraud.api.filters import RuleFilter
from apps.fraud.api.serializers import (
    RuleInput,
    RuleSerializer,
    SettingsInput,
    SettingsSerializer,
)
from apps.fraud.models import FraudRule, FraudSettings
from apps.stores.models import Store


class FraudRuleViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "fraud.view_fraudrule",
        "retrieve": "fraud.view_fraudrule",
        "create": "fraud.add_fraudrule",
        "partial_update": "fraud.change_fraudrule",
        "destroy": "fraud.delete_fraudrule",
    }
    queryset = FraudRule.objects.select_related("store")
    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(
        summary="List fraud rules",
        description="The lists are rules too: `?kind=blocked` and `?kind=allowed`.",
        tags=["fraud"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A fraud rule", tags=["fraud"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a fraud rule",
        request=RuleInput,
        responses={201: RuleSerializer},
        tags=["fraud"],
    )
    def create(self, request: Any) -> Response:
        data = RuleInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _detail(services.save_rule(rule=FraudRule(), changes=data.validated_data), 201)

    @extend_schema(
        summary="Change a fraud rule",
        description="`values` replaces the whole list: send `If-Match`, so that nothing is lost"
        " that somebody else added.",
        request=RuleInput,
        responses={200: RuleSerializer},
        tags=["fraud"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        rule = self.get_object()
        check_if_match(request, rule)
        data = RuleInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(services.save_rule(rule=rule, changes=data.validated_data))

    @extend_schema(summary="Delete a fraud rule", responses={204: None}, tags=["fraud"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_rule(rule=self.get_object())
        return Response(status=204)


class FraudSettingsViewSet(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "fraud.view_fraudsettings",
        "partial_update": "fraud.change_fraudsettings",
        "destroy": "fraud.delete_fraudsettings",
    }
    queryset = FraudSettings.objects.select_related("store")
    serializer_class = SettingsSerializer
    lookup_field = "store__code"
    lookup_url_kwarg = "code"

    @extend_schema(
        summary="How a store judges its checkouts",
        description="404 for a store that judges none.",
        tags=["fraud"],
    )
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        return Response(SettingsSerializer(self.get_object()).data)

    @extend_schema(
        summary="Change how a store judges its checkouts",
        description="The first time lets it begin to.",
        request=SettingsInput,
        responses={200: SettingsSerializer},
        tags=["fraud"],
    )
    def partial_update(self, request: Any, code: str) -> Response:
        store = scoped(Store.objects.filter(code=code)).first()
        if store is None:
            raise NotFound()
        data = SettingsInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        known = services.save_settings(store=store, changes=data.validated_data)
        return Response(SettingsSerializer(known).data)

    @extend_schema(
        summary="Judge a store's checkouts no more",
        description="Its rules stay.",
        responses={204: None},
        tags=["fraud"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.stop_judging(known=self.get_object())
        return Response(status=204)


def _detail(rule: FraudRule, status: int = 200) -> Response:
    body = RuleSerializer(rule).data
    return Response(body, status=status, headers={"ETag": etag_of(rule)})
