"""The review queue and what it says of the rules, for staff and API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.fraud import services
from apps.fraud.api.filters import AssessmentFilter
from apps.fraud.api.serializers import (
    AssessmentSerializer,
    RejectionInput,
    ReportQuery,
    ReportSerializer,
)
from apps.fraud.models import Assessment, Hit
from apps.fraud.selectors import rule_report


class AssessmentViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "fraud.view_assessment",
        "retrieve": "fraud.view_assessment",
        "approve": "fraud.decide_assessment",
        "reject": "fraud.decide_assessment",
    }
    queryset = Assessment.objects.select_related("store", "order").prefetch_related(
        Prefetch("hits", Hit.objects.select_related("rule"))
    )
    serializer_class = AssessmentSerializer
    filterset_class = AssessmentFilter
    search_fields = ("email", "ip", "order__number")
    ordering_fields = {"created": "pk", "score": "score", "total": "total"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(
        summary="List judged checkouts",
        description="`?waiting=true` is the review queue: orders that are held until somebody"
        " decides. Checkouts that nobody suspected are kept for 90 days.",
        tags=["fraud"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A judged checkout", tags=["fraud"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Release a held order",
        description="It is no fraud. `already_decided` where there is nothing to decide.",
        request=None,
        responses={200: AssessmentSerializer},
        tags=["fraud"],
    )
    def approve(self, request: Any, **kwargs: Any) -> Response:
        services.release(assessment=self.get_object())
        return self._shown()

    @extend_schema(
        summary="Cancel a held order as fraud",
        description="Its money goes back. `already_decided` where there is nothing to decide,"
        " `transition_refused` for an order of which parts have shipped.",
        request=RejectionInput,
        responses={200: AssessmentSerializer},
        tags=["fraud"],
    )
    def reject(self, request: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        data = RejectionInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.call_fraud(assessment=row, **data.validated_data)
        return self._shown()

    def _shown(self) -> Response:
        return Response(AssessmentSerializer(self.get_object()).data)


class RuleReportView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "fraud.view_fraudrule"}
    query_params = frozenset(ReportQuery().fields)

    @extend_schema(
        summary="What became of what the rules hit",
        description="The most hit first: a rule whose hits are always released catches nobody.",
        parameters=[ReportQuery],
        responses={200: ReportSerializer},
        tags=["fraud"],
    )
    def retrieve(self, request: Any) -> Response:
        query = ReportQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        since = timezone.now() - timedelta(days=query.validated_data["days"])
        return Response(ReportSerializer({"results": rule_report(since=since)}).data)
