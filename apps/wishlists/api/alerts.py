"""Asking to be told: customers, guests by their mailbox; and the merchants' demand."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Public, SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.stores.selectors import currency_for, current_store
from apps.wishlists.api.serializers import (
    AlertInput,
    GuestAlertInput,
    GuestAlertSerializer,
    MyAlertSerializer,
    ShopperAlertSerializer,
    WantedSerializer,
)
from apps.wishlists.api.views import customer_of
from apps.wishlists.models import Alert, WantedVariant
from apps.wishlists.selectors.alerts import alert_of, alerts_of, wanted_variants
from apps.wishlists.services import alerts


class WrongCurrency(DomainError):
    code = "wrong_currency"
    message = _("The target price is in another currency.")


def wish_of(request: Any, values: dict[str, Any]) -> alerts.Wish:
    """What the body asks for, in the store and the currency of the request."""
    store, target = current_store(request), values.get("target_price")
    currency = currency_for(
        store, values.get("currency") or (target.currency if isinstance(target, Money) else None)
    )
    if target is not None and target.currency != currency:
        raise WrongCurrency(field="target_price")
    return alerts.Wish(
        store=store,
        currency=currency,
        kind=values["kind"],
        sku=values["sku"],
        target=target.amount if target is not None else None,
    )


class MyAlertViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [SignedIn]
    serializer_class = MyAlertSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    # For the schema alone; who isn't signed in gets no rows.
    queryset = Alert.objects.none()

    def get_queryset(self) -> QuerySet[Alert]:
        customer = getattr(self.request.user, "customer", None)
        return alerts_of(customer) if customer else super().get_queryset()

    @extend_schema(
        summary="What I asked to be told",
        description="Those told already are kept for thirty days.",
        tags=["alerts"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Tell me when it is back in stock, or costs less",
        description="One mail to the account's address, then the alert is done. Asking again"
        " replaces the price that is waited for.",
        request=AlertInput,
        responses={201: MyAlertSerializer},
        tags=["alerts"],
    )
    def create(self, request: Any) -> Response:
        data = AlertInput(data=request.data)
        data.is_valid(raise_exception=True)
        alert = alerts.ask(
            wish=wish_of(request, data.validated_data),
            customer=customer_of(request),
            language=get_language() or "",
        )
        return Response(MyAlertSerializer(alert).data, status=201)

    @extend_schema(summary="No longer tell me", responses={204: None}, tags=["alerts"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        alerts.give_up_alert(alert=self.get_object())
        return Response(status=204)


class GuestAlertView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="Tell this mailbox when it is back in stock, or costs less",
        description="A mail asks the mailbox first. The answer is the same for every mailbox;"
        " attempts are limited per mailbox and network (429).",
        request=GuestAlertInput,
        responses={202: GuestAlertSerializer},
        tags=["alerts"],
    )
    def create(self, request: Any) -> Response:
        data = GuestAlertInput(data=request.data)
        data.is_valid(raise_exception=True)
        alerts.ask_as_guest(
            wish=wish_of(request, data.validated_data),
            email=data.validated_data["email"],
            language=get_language() or "",
        )
        return Response({"detail": str(_("Please confirm it: we have sent you a message."))}, 202)


class AlertByTokenView(PlainViewSet):
    """What the link of a mail leads to."""

    permission_classes = [Public]

    @extend_schema(
        summary="The alert of a mail's link",
        responses={200: ShopperAlertSerializer},
        tags=["alerts"],
    )
    def retrieve(self, request: Any, token: str) -> Response:
        return Response(ShopperAlertSerializer(alert_of(token)).data)

    @extend_schema(
        summary="Confirm an alert",
        description="The mailbox is one's own.",
        request=None,
        responses={200: ShopperAlertSerializer},
        tags=["alerts"],
    )
    def confirm(self, request: Any, token: str) -> Response:
        return Response(ShopperAlertSerializer(alerts.confirm_alert(token=token)).data)

    @extend_schema(summary="Give up an alert", responses={204: None}, tags=["alerts"])
    def destroy(self, request: Any, token: str) -> Response:
        alerts.give_up_alert(alert=alert_of(token))
        return Response(status=204)


class WantedViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "wishlists.view_alert"}
    serializer_class = WantedSerializer
    queryset = WantedVariant.objects.none()
    ordering = ("-waiting", "-pk")
    ordering_fields = {"waiting": "waiting", "cheaper": "cheaper"}

    def get_queryset(self) -> QuerySet[WantedVariant]:
        return wanted_variants()

    @extend_schema(
        summary="What shoppers wait for",
        description="Variants by the number of shoppers who wait for them.",
        tags=["inventory"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
