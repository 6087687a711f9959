"""A customer's own wishlists and what they looked at; what others shared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.checkout.selectors import cart_for_shopper
from apps.core.api.permissions import Public, SignedIn
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.customers.models import Customer
from apps.customers.selectors import group_id_of
from apps.customers.services.registration import get_or_create_for_user
from apps.stores.selectors import currency_for, current_store
from apps.wishlists.api.serializers import (
    MovedSerializer,
    MoveInput,
    SharedWishlistSerializer,
    SharedWishSerializer,
    SlugInput,
    ViewedSerializer,
    WishChange,
    WishInput,
    WishlistChange,
    WishlistInput,
    WishlistSerializer,
    WishSerializer,
)
from apps.wishlists.models import Wishlist, WishlistItem
from apps.wishlists.selectors.wishes import (
    Window,
    item_of,
    items_json,
    items_of,
    recently_viewed,
    shared_wishlist,
    wishlist_of,
    wishlists_of,
)
from apps.wishlists.services import viewing, wishes

CURRENCY = OpenApiParameter("currency", str, description="Of the prices; the store's default one.")


def window_of(request: Any) -> Window:
    """The store, the currency and the moment of the request."""
    store = current_store(request)
    currency = currency_for(store, request.query_params.get("currency"))
    group_id = group_id_of(getattr(request.user, "customer", None))
    return Window(store, currency, timezone.now(), group_id)


def customer_of(request: Any) -> Customer:
    return get_or_create_for_user(user=request.user)


class MyWishlistViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [SignedIn]
    serializer_class = WishlistSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    # For the schema alone; who isn't signed in gets no rows.
    queryset = Wishlist.objects.none()
    ordering = ("pk",)

    def get_queryset(self) -> QuerySet[Wishlist]:
        if not self.request.user.is_authenticated:
            return super().get_queryset()
        return wishlists_of(getattr(self.request.user, "customer", None))

    def _answer(self, wishlist: Wishlist, status: int = 200) -> Response:
        found = wishlists_of(wishlist.customer).get(pk=wishlist.pk)
        return Response(WishlistSerializer(found).data, status=status)

    @extend_schema(summary="My wishlists", tags=["wishlists"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="One of my wishlists", tags=["wishlists"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a wishlist",
        description="At most twenty (`too_many_wishlists`), each with a name of its own.",
        request=WishlistInput,
        responses={201: WishlistSerializer},
        tags=["wishlists"],
    )
    def create(self, request: Any) -> Response:
        data = WishlistInput(data=request.data)
        data.is_valid(raise_exception=True)
        made = wishes.create_wishlist(customer=customer_of(request), **data.validated_data)
        return self._answer(made, 201)

    @extend_schema(
        summary="Rename a wishlist, share it or no longer",
        request=WishlistChange,
        responses={200: WishlistSerializer},
        tags=["wishlists"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        wishlist = self.get_object()
        data = WishlistChange(data=request.data)
        data.is_valid(raise_exception=True)
        return self._answer(wishes.update_wishlist(wishlist=wishlist, **data.validated_data))

    @extend_schema(summary="Delete a wishlist", responses={204: None}, tags=["wishlists"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        wishes.delete_wishlist(wishlist=self.get_object())
        return Response(status=204)


class _Wishes(ListModelMixin, BaseViewSet):
    queryset = WishlistItem.objects.none()
    query_params = frozenset({"currency"})

    def list_of(self, request: Any, wishlist: Wishlist) -> Response:
        """A page of the list's items; five statements, however many they are."""
        page = self.paginate_queryset(items_of(wishlist)) or []
        data = items_json(page, window_of(request))
        return self.get_paginated_response(self.get_serializer(data, many=True).data)


class MyWishViewSet(_Wishes):
    permission_classes = [SignedIn]
    serializer_class = WishSerializer

    def _wishlist(self, wishlist_id: UUID) -> Wishlist:
        customer = getattr(self.request.user, "customer", None)
        return wishlist_of(customer=customer, wishlist_id=wishlist_id)

    def _item(self, wishlist_id: UUID, item_id: UUID) -> WishlistItem:
        customer = getattr(self.request.user, "customer", None)
        return item_of(customer=customer, wishlist_id=wishlist_id, item_id=item_id)

    def _answer(self, item: WishlistItem, status: int = 200) -> Response:
        (data,) = items_json([item], window_of(self.request))
        return Response(WishSerializer(data).data, status=status)

    @extend_schema(summary="What is on my wishlist", parameters=[CURRENCY], tags=["wishlists"])
    def list(self, request: Any, wishlist_id: UUID) -> Response:
        return self.list_of(request, self._wishlist(wishlist_id))

    @extend_schema(
        summary="Wish for a variant or a product",
        description="What is on the list already stays as it is. At most 200 (`wishlist_full`).",
        request=WishInput,
        parameters=[CURRENCY],
        responses={201: WishSerializer},
        tags=["wishlists"],
    )
    def create(self, request: Any, wishlist_id: UUID) -> Response:
        wishlist = self._wishlist(wishlist_id)
        data = WishInput(data=request.data)
        data.is_valid(raise_exception=True)
        item = wishes.add_item(
            wishlist=wishlist, store=current_store(request), **data.validated_data
        )
        return self._answer(item, 201)

    @extend_schema(
        summary="Change the note of a wish",
        request=WishChange,
        parameters=[CURRENCY],
        responses={200: WishSerializer},
        tags=["wishlists"],
    )
    def partial_update(self, request: Any, wishlist_id: UUID, item_id: UUID) -> Response:
        item = self._item(wishlist_id, item_id)
        data = WishChange(data=request.data)
        data.is_valid(raise_exception=True)
        return self._answer(wishes.change_item(item=item, **data.validated_data))

    @extend_schema(summary="Take a wish off", responses={204: None}, tags=["wishlists"])
    def destroy(self, request: Any, wishlist_id: UUID, item_id: UUID) -> Response:
        wishes.remove_item(item=self._item(wishlist_id, item_id))
        return Response(status=204)

    @extend_schema(
        summary="Move a wish to the cart",
        description="Into the named cart, else the customer's open one, else a new one; in the"
        " least quantity that is sold. `choose_variant` where several are for sale.",
        request=MoveInput,
        parameters=[CURRENCY],
        responses={200: MovedSerializer},
        tags=["wishlists"],
    )
    def move_to_cart(self, request: Any, wishlist_id: UUID, item_id: UUID) -> Response:
        item, window = self._item(wishlist_id, item_id), window_of(request)
        data = MoveInput(data=request.data)
        data.is_valid(raise_exception=True)
        cart, named = None, data.validated_data.get("cart_id")
        if named:
            owner = item.wishlist.customer_id
            cart = cart_for_shopper(cart_id=named, customer_id=owner)
        cart = wishes.move_to_cart(
            item=item,
            store=window.store,
            currency=window.currency,
            cart=cart,
            sku=data.validated_data.get("sku", ""),
        )
        return Response(MovedSerializer(cart).data)


class SharedWishlistView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="A wishlist that somebody shared",
        responses={200: SharedWishlistSerializer},
        tags=["wishlists"],
    )
    def retrieve(self, request: Any, token: str) -> Response:
        return Response(SharedWishlistSerializer(shared_wishlist(token)).data)


class SharedWishView(_Wishes):
    permission_classes = [Public]
    serializer_class = SharedWishSerializer

    @extend_schema(
        summary="What is on a shared wishlist", parameters=[CURRENCY], tags=["wishlists"]
    )
    def list(self, request: Any, token: str) -> Response:
        return self.list_of(request, shared_wishlist(token))


class RecentlyViewedView(PlainViewSet):
    permission_classes = [SignedIn]
    query_params = frozenset({"currency"})

    @extend_schema(
        summary="What I looked at last",
        description="At most thirty products of the store, the last one first.",
        parameters=[CURRENCY],
        responses={200: ViewedSerializer},
        tags=["account"],
    )
    def retrieve(self, request: Any) -> Response:
        return self._answer(request)

    @extend_schema(
        summary="I looked at a product",
        request=SlugInput,
        parameters=[CURRENCY],
        responses={200: ViewedSerializer},
        tags=["account"],
    )
    def create(self, request: Any) -> Response:
        data = SlugInput(data=request.data)
        data.is_valid(raise_exception=True)
        viewing.note_viewed(
            customer=customer_of(request),
            store=current_store(request),
            slugs=[data.validated_data["slug"]],
        )
        return self._answer(request)

    @extend_schema(summary="Forget what I looked at", responses={204: None}, tags=["account"])
    def destroy(self, request: Any) -> Response:
        viewing.forget_viewed(customer=customer_of(request))
        return Response(status=204)

    def _answer(self, request: Any) -> Response:
        found = recently_viewed(getattr(request.user, "customer", None), window_of(request))
        return Response({"next": None, "previous": None, "results": found})
