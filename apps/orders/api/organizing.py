"""Tags and assignees of orders, for staff."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts.models import User
from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.core.tags import LONGEST_TAG, MOST_TAGS
from apps.orders import services
from apps.orders.api.serializers import StaffOrderSerializer
from apps.orders.api.views import OrderView
from apps.orders.models import OrderTag


class TagsInput(StrictSerializer):
    tags = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TAG), max_length=MOST_TAGS
    )


class AssigneeInput(StrictSerializer):
    assignee = serializers.EmailField(
        allow_null=True, help_text="The e-mail address of somebody of the staff."
    )

    def validate_assignee(self, value: str | None) -> User | None:
        if value is None:
            return None
        user = User.objects.filter(email=value.lower(), is_staff=True, is_active=True).first()
        if user is None:
            raise serializers.ValidationError(services.NotStaff.message, "not_staff")
        return user


class OrderTagSerializer(serializers.Serializer[OrderTag]):
    name = serializers.CharField()


class OrganizingView(OrderView):
    required_permissions = {
        "tags": "orders.organize_order",
        "assign": "orders.organize_order",
    }

    @extend_schema(
        summary="Set an order's tags",
        description="All of them; a tag that doesn't exist yet is made. Case doesn't matter.",
        request=TagsInput,
        responses=StaffOrderSerializer,
    )
    def tags(self, request: Any, number: str) -> Response:
        data = TagsInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.set_tags(order=self._order(number), tags=data.validated_data["tags"])
        return self._answer(number)

    @extend_schema(
        summary="Say who looks after an order",
        description="`null`: nobody.",
        request=AssigneeInput,
        responses=StaffOrderSerializer,
    )
    def assign(self, request: Any, number: str) -> Response:
        data = AssigneeInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.assign(order=self._order(number), assignee=data.validated_data["assignee"])
        return self._answer(number)


class OrderTagsView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "orders.view_order"}
    queryset = OrderTag.objects.all()
    serializer_class = OrderTagSerializer
    ordering = ("key",)

    @extend_schema(summary="List the tags of orders")
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(OrderTagSerializer(page, many=True).data)
