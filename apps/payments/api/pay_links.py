"""Pay links, for staff."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import PlainViewSet
from apps.core.errors import NotFound
from apps.core.scopes import scoped
from apps.orders.selectors import order_for_staff
from apps.payments import services
from apps.payments.api.serializers import PayLinkSerializer
from apps.payments.models import PayLink


class PayLinkView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "create": "payments.add_paylink",
        "retrieve": "payments.view_paylink",
        "resend": "payments.change_paylink",
        "revoke": "payments.change_paylink",
    }
    idempotent = frozenset({"create", "resend", "revoke"})

    def _link(self, link_id: Any) -> PayLink:
        links = scoped(PayLink.objects.select_related("order__store"))
        link = links.filter(public_id=link_id).first()
        if link is None:
            raise NotFound()
        return link

    def _answer(self, link: PayLink, status: int = 200) -> Response:
        return Response(PayLinkSerializer(link).data, status=status)

    @extend_schema(
        summary="Mail the customer a link to pay what an order still owes",
        description="The open link is used again, if there is one; its time begins anew.",
        request=None,
        responses={201: PayLinkSerializer},
    )
    def create(self, request: Any, number: str) -> Response:
        order = order_for_staff(number)
        return self._answer(services.create_pay_link(order=order), status=201)

    @extend_schema(summary="Get a pay link", responses=PayLinkSerializer)
    def retrieve(self, request: Any, link_id: Any) -> Response:
        return self._answer(self._link(link_id))

    @extend_schema(summary="Mail a pay link again", request=None, responses=PayLinkSerializer)
    def resend(self, request: Any, link_id: Any) -> Response:
        return self._answer(services.resend_pay_link(link=self._link(link_id)))

    @extend_schema(summary="Revoke a pay link", request=None, responses=PayLinkSerializer)
    def revoke(self, request: Any, link_id: Any) -> Response:
        return self._answer(services.revoke_pay_link(link=self._link(link_id)))
