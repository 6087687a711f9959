"""Carts and checkout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from apps.checkout import services
from apps.checkout.api.serializers import (
    CartChanges,
    CartDutiesSerializer,
    CartInput,
    CartSerializer,
    CheckoutInput,
    CodeInput,
    LineChanges,
    LineInput,
    OneCallInput,
    PlacedSerializer,
    ShippingOfferSerializer,
)
from apps.checkout.models import Cart
from apps.checkout.selectors import (
    cart_for_shopper,
    cart_json,
    carts_for_reading,
    duties_of_cart,
    explanation_json,
    offers_json,
    view_cart,
)
from apps.core.api.permissions import Public, SignedIn, holds, may_only
from apps.core.api.views import PlainViewSet
from apps.core.errors import DomainError
from apps.customers.models import Customer
from apps.customers.services.registration import get_or_create_for_user
from apps.orders.selectors import order_json, orders_for_reading
from apps.stores.selectors import current_store


def customer_of(request: Any) -> Customer | None:
    """The signed-in shopper; None for guests, and for machines: a key shops for nobody."""
    if not request.user.is_authenticated or may_only(request) is not None:
        return None
    return get_or_create_for_user(user=request.user)


def known_customer_id(request: Any) -> int | None:
    """The same for looking only: somebody who never shopped has no carts, and none is made."""
    customer = None if may_only(request) is not None else getattr(request.user, "customer", None)
    return customer.pk if customer else None


def valid(form: Any) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def placed_json(placed: services.Placed) -> dict[str, Any]:
    """What a checkout answers: the order with a guest's key to it, and how to go on paying."""
    order = orders_for_reading().get(pk=placed.order.pk)
    payment = placed.payment
    return {
        "order": {**order_json(order), "token": order.token},
        "payment": payment
        and {
            "id": str(payment.public_id),
            "status": payment.status,
            "client_secret": payment.client_secret or None,
            "redirect_url": payment.redirect_url or None,
        },
    }


def fresh_json(cart: Cart) -> dict[str, Any]:
    """The cart as it is now, not as it was read before the change."""
    return cart_json(view_cart(carts_for_reading().get(pk=cart.pk)))


def payment_choice(data: dict[str, Any]) -> services.PaymentChoice | None:
    """What the input says of paying; None where it leaves it out."""
    return services.PaymentChoice(**data["payment"]) if "payment" in data else None


class CartView(PlainViewSet):
    permission_classes = [Public]
    idempotent = frozenset({"checkout"})

    def allowed_query_params(self) -> set[str]:
        return {"explain"} if self.action == "retrieve" else set()

    def _cart(self, cart_id: str) -> Cart:
        return cart_for_shopper(cart_id=cart_id, customer_id=known_customer_id(self.request))

    def _answer(self, cart: Cart, status: int = 200) -> Response:
        return Response(fresh_json(cart), status=status)

    @extend_schema(summary="Create a cart", request=CartInput, responses={201: CartSerializer})
    def create(self, request: Any) -> Response:
        data = valid(CartInput(data=request.data))
        view = services.open_cart(
            store=current_store(request),
            currency=data.get("currency"),
            customer=customer_of(request),
            lines=[(line["sku"], line["quantity"]) for line in data.get("lines", ())],
        )
        return Response(cart_json(view), status=201)

    @extend_schema(
        summary="Get a cart",
        description=(
            "With `?explain=1` also `explanation`: every promotion with why it did or didn't apply"
            " and what beat it, and every step of shipping and tax (amounts in minor units)."
        ),
        parameters=[
            OpenApiParameter("explain", bool, description="Tell how the total came about.")
        ],
        responses=CartSerializer,
    )
    def retrieve(self, request: Any, cart_id: str) -> Response:
        explain = request.query_params.get("explain") in ("1", "true")
        # What is planned, or needs a code, is the merchant's own business.
        unseen = explain and holds(request, "promotions.view_promotion")
        view = view_cart(self._cart(cart_id), explain=unseen)
        answer = cart_json(view)
        if explain:
            answer["explanation"] = explanation_json(view)
        return Response(answer)

    @extend_schema(
        summary="Use a discount code or a gift card",
        description=(
            "A code whose conditions aren't met yet is kept and applies once they are (`codes`)."
            " What isn't a discount code may be a gift card's (`gift_cards`). 400 `unknown_code`,"
            " `coupon_expired`, `coupon_used_up`, `gift_card_expired` or `wrong_currency`, 409"
            " `gift_card_empty`; 429 for who guesses."
        ),
        request=CodeInput,
        responses={201: CartSerializer},
    )
    def add_code(self, request: Any, cart_id: str) -> Response:
        data = valid(CodeInput(data=request.data))
        cart = self._cart(cart_id)
        services.add_code(cart=cart, code=data["code"])
        return self._answer(cart, status=201)

    @extend_schema(summary="Take a discount code off", responses={200: CartSerializer})
    def remove_code(self, request: Any, cart_id: str, code: str) -> Response:
        cart = self._cart(cart_id)
        services.remove_code(cart=cart, code=code)
        return self._answer(cart)

    @extend_schema(summary="Take a gift card off", responses={200: CartSerializer})
    def remove_gift_card(self, request: Any, cart_id: str, last4: str) -> Response:
        cart = self._cart(cart_id)
        services.remove_gift_card(cart=cart, last4=last4)
        return self._answer(cart)

    @extend_schema(
        summary="Pay by my store credit",
        description="What gift cards leave. 409 `no_store_credit` where there is none.",
        request=None,
        responses={201: CartSerializer},
    )
    def use_store_credit(self, request: Any, cart_id: str) -> Response:
        cart = self._cart(cart_id)
        services.use_store_credit(cart=cart)
        return self._answer(cart, status=201)

    @extend_schema(summary="Take my store credit off", responses={200: CartSerializer})
    def leave_store_credit(self, request: Any, cart_id: str) -> Response:
        cart = self._cart(cart_id)
        services.leave_store_credit(cart=cart)
        return self._answer(cart)

    @extend_schema(
        summary="Set e-mail, addresses, shipping method or note",
        request=CartChanges,
        responses=CartSerializer,
    )
    def partial_update(self, request: Any, cart_id: str) -> Response:
        data = valid(CartChanges(data=request.data))
        cart = self._cart(cart_id)
        services.update_cart(cart=cart, changes=data)
        if data.keys() & {"shipping_address", "billing_address"}:
            services.ask_tax_engine(cart=cart)
        return self._answer(cart)

    @extend_schema(summary="Delete a cart", responses={204: None})
    def destroy(self, request: Any, cart_id: str) -> Response:
        services.delete_cart(cart=self._cart(cart_id))
        return Response(status=204)

    @extend_schema(summary="Add an item", request=LineInput, responses={201: CartSerializer})
    def add_line(self, request: Any, cart_id: str) -> Response:
        data = valid(LineInput(data=request.data))
        cart = self._cart(cart_id)
        services.add_line(cart=cart, **data)
        return self._answer(cart, status=201)

    @extend_schema(
        summary="Set a line's quantity, or who gets its gift cards",
        request=LineChanges,
        responses=CartSerializer,
    )
    def change_line(self, request: Any, cart_id: str, line_id: Any) -> Response:
        data = valid(LineChanges(data=request.data))
        cart = self._cart(cart_id)
        services.change_line(cart=cart, line_id=str(line_id), **data)
        return self._answer(cart)

    @extend_schema(summary="Remove a line", responses={200: CartSerializer})
    def remove_line(self, request: Any, cart_id: str, line_id: Any) -> Response:
        cart = self._cart(cart_id)
        services.remove_line(cart=cart, line_id=str(line_id))
        return self._answer(cart)

    @extend_schema(
        summary="List the shipping methods for this cart's address and weight",
        responses=ShippingOfferSerializer(many=True),
    )
    def shipping_methods(self, request: Any, cart_id: str) -> Response:
        cart = self._cart(cart_id)
        return Response(offers_json(services.offer_shipping(cart=cart), cart.currency))

    @extend_schema(
        summary="Estimate the duties of this cart",
        description="What customs at its address will probably take, by the shop's table. Not part"
        " of the total. `null` without an address, and in the store's own customs area.",
        responses=CartDutiesSerializer,
    )
    def duties(self, request: Any, cart_id: str) -> Response:
        return Response({"duties": duties_of_cart(view_cart(self._cart(cart_id)))})

    @extend_schema(
        summary="Order the cart and begin its payment",
        description=(
            "Without `payment` gift cards and store credit must leave nothing to pay, else 400"
            " `payment_required`."
            " 409 `price_changed`, `gift_card_changed`, `out_of_stock`, `unavailable` or"
            " `shipping_unavailable` come with the fresh `cart`; 402 `payment_declined` leaves the"
            " order waiting for another method by the same call, what gift cards paid on it. 404"
            " `not_found` for a `saved_method` that isn't mine, 400 `method_not_savable` for guests"
            " and ways to pay that keep nothing."
        ),
        request=CheckoutInput,
        responses={201: PlacedSerializer},
    )
    def checkout(self, request: Any, cart_id: str) -> Response:
        data = valid(CheckoutInput(data=request.data))
        cart = self._cart(cart_id)
        try:
            placed = services.place_order(
                cart=cart,
                payment=payment_choice(data),
                expected_total=data.get("expected_total"),
            )
        except DomainError as error:
            raise with_fresh_cart(error, cart) from error
        return Response(placed_json(placed), status=201)


class ClaimView(PlainViewSet):
    permission_classes = [SignedIn]

    @extend_schema(
        summary="Make a guest's cart mine, with what my last one held",
        request=None,
        responses=CartSerializer,
    )
    def claim(self, request: Any, cart_id: str) -> Response:
        customer = get_or_create_for_user(user=request.user)
        cart = cart_for_shopper(cart_id=cart_id, customer_id=customer.pk)
        services.claim_cart(cart=cart, customer=customer)
        return Response(cart_json(view_cart(cart)))


class OneCallView(PlainViewSet):
    """The whole checkout in one call, for apps and channels."""

    permission_classes = [Public]
    idempotent = frozenset({"create"})

    @extend_schema(
        summary="Order in one call", request=OneCallInput, responses={201: PlacedSerializer}
    )
    def create(self, request: Any) -> Response:
        data = valid(OneCallInput(data=request.data))
        return self.place(request, data, customer_of(request), payment_choice(data))

    def place(
        self,
        request: Any,
        data: dict[str, Any],
        customer: Customer | None,
        payment: services.PaymentChoice | None,
    ) -> Response:
        try:
            _cart, placed = services.order_in_one_call(
                store=current_store(request),
                wish=wish_of(data),
                payment=payment,
                customer=customer,
                expected_total=data.get("expected_total"),
                key=self.idempotency_digest,
            )
        except DomainError as error:
            cart_id = error.extra.pop("cart_id", None)
            cart = carts_for_reading().filter(public_id=cart_id)
            raise with_fresh_cart(error, cart.first()) from error
        return Response(placed_json(placed), status=201)


def wish_of(data: Mapping[str, Any]) -> services.Wish:
    """What one call asks for, without how it is paid."""
    wanted = {n: v for n, v in data.items() if n not in ("payment", "expected_total")}
    wanted["lines"] = [(line["sku"], line["quantity"]) for line in data["lines"]]
    return services.Wish(**{"shipping_address": {}, **wanted})


def with_fresh_cart(error: DomainError, cart: Cart | None) -> DomainError:
    """A refusal that says that the shop changed brings the cart as it is now."""
    if cart is not None and error.status == 409:
        error.extra["cart"] = fresh_json(cart)
    return error
