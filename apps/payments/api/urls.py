"""Addresses of the payments' API, without prefix."""

from django.urls import path

from apps.payments.api.gift_cards import (
    BalanceView,
    GiftCardViewSet,
    MyStoreCreditView,
    StoreCreditViewSet,
)
from apps.payments.api.pay_links import PayLinkView
from apps.payments.api.payouts import (
    DifferenceViewSet,
    PayoutLineViewSet,
    PayoutViewSet,
)
from apps.payments.api.saved_methods import ChargeSavedView, MyPaymentMethodViewSet
from apps.payments.api.views import PaymentView, WebhookView

storefront = [
    path("gift-cards/balance/", BalanceView.as_view({"post": "create"})),
    path("me/store-credit/", MyStoreCreditView.as_view({"get": "retrieve"})),
    path("me/payment-methods/", MyPaymentMethodViewSet.as_view({"get": "list"})),
    path(
        "me/payment-methods/<uuid:id>/",
        MyPaymentMethodViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("webhooks/<slug:provider>/", WebhookView.as_view()),
]

admin = [
    path("orders/<str:number>/payments/", PaymentView.as_view({"post": "create"})),
    path("orders/<str:number>/charge-saved/", ChargeSavedView.as_view({"post": "create"})),
    path("orders/<str:number>/refund-proposal/", PaymentView.as_view({"get": "refund_proposal"})),
    path("orders/<str:number>/pay-links/", PayLinkView.as_view({"post": "create"})),
    path("pay-links/<uuid:link_id>/", PayLinkView.as_view({"get": "retrieve"})),
    path("pay-links/<uuid:link_id>/resend/", PayLinkView.as_view({"post": "resend"})),
    path("pay-links/<uuid:link_id>/revoke/", PayLinkView.as_view({"post": "revoke"})),
    path("gift-cards/", GiftCardViewSet.as_view({"get": "list", "post": "create"})),
    path("gift-cards/<uuid:id>/", GiftCardViewSet.as_view({"get": "retrieve"})),
    path("gift-cards/<uuid:id>/adjust/", GiftCardViewSet.as_view({"post": "adjust"})),
    path("gift-cards/<uuid:id>/disable/", GiftCardViewSet.as_view({"post": "disable"})),
    path("gift-cards/<uuid:id>/resend/", GiftCardViewSet.as_view({"post": "resend"})),
    path("store-credit/", StoreCreditViewSet.as_view({"get": "list", "post": "create"})),
    path("store-credit/<uuid:id>/", StoreCreditViewSet.as_view({"get": "retrieve"})),
    path("payouts/", PayoutViewSet.as_view({"get": "list"})),
    path("payouts/<uuid:id>/", PayoutViewSet.as_view({"get": "retrieve"})),
    path("payouts/<uuid:id>/lines/", PayoutLineViewSet.as_view({"get": "list"})),
    path("payment-differences/", DifferenceViewSet.as_view({"get": "list"})),
    path("payment-differences/<uuid:id>/", DifferenceViewSet.as_view({"get": "retrieve"})),
    path("payment-differences/<uuid:id>/resolve/", DifferenceViewSet.as_view({"post": "resolve"})),
    path("payments/<uuid:payment_id>/", PaymentView.as_view({"get": "retrieve"})),
    path("payments/<uuid:payment_id>/capture/", PaymentView.as_view({"post": "capture"})),
    path("payments/<uuid:payment_id>/void/", PaymentView.as_view({"post": "void"})),
    path("payments/<uuid:payment_id>/refund/", PaymentView.as_view({"post": "refund"})),
]
