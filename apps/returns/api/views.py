"""What shoppers do: look at the terms, ask for a return, withdraw."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from apps.core.api.permissions import Public, may_only
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.errors import NotFound
from apps.orders.models import Order
from apps.orders.selectors import order_for_shopper
from apps.returns import services
from apps.returns.api.serializers import (
    ReturnEstimateDocument,
    ReturnPreviewInput,
    ReturnRequestInput,
    ReturnSerializer,
    TermsSerializer,
    WithdrawalSerializer,
    WithdrawByNumberInput,
    WithdrawInput,
)
from apps.returns.models import ReturnRequest
from apps.returns.selectors import (
    estimate_json,
    exchanges_of,
    return_json,
    returns_for_reading,
    terms_json,
    terms_of,
)
from apps.stores.selectors import current_store

TOKEN = OpenApiParameter("token", str, description="A guest's key to the order.")


def wishes_of(lines: list[dict[str, Any]]) -> list[services.Wish]:
    return [
        services.Wish(
            *(line[name] for name in ("order_line", "quantity", "reason", "condition")),
            exchange_for=line["exchange_for"],
        )
        for line in lines
    ]


class OfOrder(BaseViewSet):
    """Of one order: a customer's own, or a guest's by `?token=`."""

    permission_classes = [Public]
    query_params = frozenset({"token"})
    queryset = ReturnRequest.objects.none()

    def order(self, number: str) -> Order:
        request = self.request
        customer = (
            None if may_only(request) is not None else getattr(request.user, "customer", None)
        )
        return order_for_shopper(
            number=number[:30],
            customer_id=customer.pk if customer else None,
            token=request.query_params.get("token", "")[:100],
        )


class MyReturnsView(OfOrder):
    serializer_class = ReturnSerializer
    idempotent = frozenset({"create", "withdraw"})

    def get_queryset(self) -> QuerySet[ReturnRequest]:
        if "number" not in self.kwargs:
            return super().get_queryset()
        return returns_for_reading().filter(order=self.order(self.kwargs["number"]))

    def _one(self, number: str, return_id: Any) -> ReturnRequest:
        found = returns_for_reading().filter(order=self.order(number), public_id=return_id).first()
        if found is None:
            raise NotFound()
        return found

    @extend_schema(summary="The returns of an order", parameters=[TOKEN], tags=["returns"])
    def list(self, request: Any, number: str) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([return_json(one) for one in page])

    @extend_schema(
        summary="A return", parameters=[TOKEN], responses=ReturnSerializer, tags=["returns"]
    )
    def retrieve(self, request: Any, number: str, return_id: Any) -> Response:
        return Response(return_json(self._one(number, return_id)))

    @extend_schema(
        summary="Ask for a return",
        description="Or claim for what was `lost` or arrived `damaged`, which sends nothing back;"
        " a `withdrawal` needs nobody's leave. The terms are at `returns/terms/`. With"
        " `exchange_for` other pieces are sent in place of the accepted ones: another variant of"
        " the same product costs nothing more, or the difference where the policy says so (see"
        " `returns/preview/`).",
        parameters=[TOKEN],
        request=ReturnRequestInput,
        responses={201: ReturnSerializer},
        tags=["returns"],
    )
    def create(self, request: Any, number: str) -> Response:
        order = self.order(number)
        form = ReturnRequestInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = dict(form.validated_data)
        wishes = wishes_of(data.pop("lines"))
        if data["kind"] == ReturnRequest.Kind.WITHDRAWAL:
            name = " ".join(order.billing_address.get(n, "") for n in ("first_name", "last_name"))
            said = services.withdraw(
                order=order,
                name=name.strip() or order.email,
                email=order.email,
                language=get_language() or order.language,
                wishes=wishes,
            )
            made = said.request
        else:
            made = services.request_return(order=order, wishes=wishes, **data)
        return Response(return_json(self._one(number, made.public_id)), status=201)

    @extend_schema(
        summary="Give up a return that wasn't sent",
        parameters=[TOKEN],
        request=None,
        responses=ReturnSerializer,
        tags=["returns"],
    )
    def cancel(self, request: Any, number: str, return_id: Any) -> Response:
        services.cancel_return(request=self._one(number, return_id))
        return Response(return_json(self._one(number, return_id)))

    @extend_schema(
        summary="Withdraw from the contract",
        description="About all of the order that it can be withdrawn from (Directive 2011/83/EU,"
        " article 11a); acknowledged by mail at once. Saying it again answers the same.",
        parameters=[TOKEN],
        request=WithdrawInput,
        responses={201: WithdrawalSerializer},
        tags=["returns"],
    )
    def withdraw(self, request: Any, number: str) -> Response:
        order = self.order(number)
        form = WithdrawInput(data=request.data)
        form.is_valid(raise_exception=True)
        said = services.withdraw(
            order=order, language=get_language() or order.language, **form.validated_data
        )
        return Response(WithdrawalSerializer(said).data, status=201)


class ReturnTermsView(OfOrder):
    serializer_class = ReturnPreviewInput

    @extend_schema(
        summary="What may come back, until when, on what terms",
        parameters=[TOKEN],
        responses=TermsSerializer,
        tags=["returns"],
    )
    def retrieve(self, request: Any, number: str) -> Response:
        order = self.order(number)
        found = terms_of(order)
        choices = exchanges_of(order, [terms.line for terms in found])
        rows = [terms_json(terms, choices.get(terms.line.pk, ())) for terms in found]
        return Response({"lines": rows})

    @extend_schema(
        summary="What a return would give back, and what would be sent instead",
        description="If all of it is accepted. Where pieces break a promotion, what is kept is"
        " counted at what it would have cost without them.",
        parameters=[TOKEN],
        request=ReturnPreviewInput,
        responses=ReturnEstimateDocument,
        tags=["returns"],
    )
    def preview(self, request: Any, number: str) -> Response:
        order = self.order(number)
        form = ReturnPreviewInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        found = services.preview_return(
            order=order, wishes=wishes_of(data["lines"]), kind=data["kind"]
        )
        return Response(estimate_json(found, order.currency))


class WithdrawalView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="Withdraw from a contract by its number and e-mail address",
        description="Answers the same whether there is such an order or not; what became of it"
        " goes to that address at once.",
        request=WithdrawByNumberInput,
        responses={204: None},
        tags=["returns"],
    )
    def create(self, request: Any) -> Response:
        form = WithdrawByNumberInput(data=request.data)
        form.is_valid(raise_exception=True)
        store = current_store(request)
        language = get_language() or store.language
        services.withdraw_by_number(store=store, language=language, **form.validated_data)
        return Response(status=204)
