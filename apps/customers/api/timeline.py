"""What happened to a customer, for staff."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.customers.api.serializers import CustomerEventSerializer, CustomerNoteSerializer
from apps.customers.models import CustomerEvent
from apps.customers.selectors import customer_called
from apps.customers.services import timeline


class TimelineViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "customers.view_customer",
        "note": "customers.change_customer",
    }
    queryset = CustomerEvent.objects.all()
    serializer_class = CustomerEventSerializer

    def get_queryset(self) -> QuerySet[CustomerEvent]:
        if "id" not in self.kwargs:  # The schema's own instance.
            return super().get_queryset()
        return super().get_queryset().filter(customer=customer_called(self.kwargs["id"]))

    @extend_schema(
        summary="A customer's timeline",
        description="What happened, the newest first: orders, refunds, returns, reviews, changes of"
        " group and tags, notes.",
        tags=["customers"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Note something about a customer",
        description="For staff alone.",
        request=CustomerNoteSerializer,
        responses={201: CustomerEventSerializer},
        tags=["customers"],
    )
    def note(self, request: Any, **kwargs: Any) -> Response:
        data = CustomerNoteSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        note = timeline.add_note(customer=customer_called(self.kwargs["id"]), **data.validated_data)
        return Response(CustomerEventSerializer(note).data, status=201)
