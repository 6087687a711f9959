"""The shopper's own account; for staff, all customers and their groups."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Public, SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet, check_if_match, etag_of
from apps.customers.api.filters import CustomerFilter
from apps.customers.api.serializers import (
    AddressBookSerializer,
    AddressInputSerializer,
    ChoiceSerializer,
    ChooseSerializer,
    CustomerChangeSerializer,
    CustomerDetailSerializer,
    CustomerGroupChangeSerializer,
    CustomerGroupInputSerializer,
    CustomerGroupSerializer,
    CustomerSerializer,
    CustomerTagSerializer,
    CustomerTagsSerializer,
    EraseMeSerializer,
    MeSerializer,
    PrivacyRequestSerializer,
    ProfileSerializer,
    RegisterSerializer,
    RegistrationSerializer,
)
from apps.customers.models import Address, Customer, CustomerGroup, CustomerTag
from apps.customers.selectors import known_customers
from apps.customers.services import (
    addresses,
    consents,
    erasing,
    exporting,
    people,
    profile,
    registration,
)
from apps.stores.selectors import current_store


class RegisterView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="Register",
        description="Makes an account and signs in. A known address is refused (`email_taken`);"
        " attempts are limited per address and network.",
        request=RegisterSerializer,
        responses={201: RegistrationSerializer},
        tags=["auth"],
    )
    def create(self, request: Any) -> Response:
        data = RegisterSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        session = registration.register(store=current_store(request), **data.validated_data)
        return Response(RegistrationSerializer(session).data, status=201)


class MeView(PlainViewSet):
    permission_classes = [SignedIn]

    @extend_schema(summary="My profile", responses={200: MeSerializer}, tags=["account"])
    def retrieve(self, request: Any) -> Response:
        customer = registration.get_or_create_for_user(user=request.user)
        return Response(MeSerializer(customer).data)

    @extend_schema(
        summary="Change my profile",
        request=ProfileSerializer,
        responses={200: MeSerializer},
        tags=["account"],
    )
    def partial_update(self, request: Any) -> Response:
        data = ProfileSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        customer = registration.get_or_create_for_user(user=request.user)
        customer = profile.update_profile(customer=customer, **data.validated_data)
        return Response(MeSerializer(customer).data)

    @extend_schema(
        summary="Erase my account and my data",
        description="Asks for the password, and for a code of the second factor, where there are"
        " such. Signs out at once and for good; the data are gone within a day, but for what the"
        " law keeps and what open orders still need.",
        request=EraseMeSerializer,
        responses={204: None},
        tags=["account"],
    )
    def destroy(self, request: Any) -> Response:
        data = EraseMeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        customer = registration.get_or_create_for_user(user=request.user)
        erasing.erase_me(customer=customer, **data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Have a copy of my data sent",
        description="A file with everything that is known of me; its link comes by mail and works"
        " for seven days. Three a day.",
        request=None,
        responses={204: None},
        tags=["account"],
    )
    def export(self, request: Any) -> Response:
        customer = registration.get_or_create_for_user(user=request.user)
        exporting.request_export(customer=customer)
        return Response(status=204)


class PrivacyRequestView(PlainViewSet):
    permission_classes = [Public]

    @extend_schema(
        summary="Ask for my data without an account",
        description="For a copy (`export`), or to be forgotten (`erase`): mails a link that proves"
        " the address, if anything is known of it. The answer doesn't tell.",
        request=PrivacyRequestSerializer,
        responses={204: None},
        tags=["account"],
    )
    def create(self, request: Any) -> Response:
        data = PrivacyRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        people.ask_by_mail(store=current_store(request).code, **data.validated_data)
        return Response(status=204)


class ConsentView(PlainViewSet):
    """Cookies that aren't necessary. The choice is kept in a cookie of its own."""

    permission_classes = [Public]

    @extend_schema(
        summary="What this browser has chosen",
        responses={200: ChoiceSerializer},
        tags=["account"],
    )
    def retrieve(self, request: Any) -> Response:
        choice = consents.read_choice(request.COOKIES.get(consents.COOKIE, ""))
        return Response(_choice(choice))

    @extend_schema(
        summary="Allow or refuse statistics and marketing",
        description="Noted as evidence: when, on which page, and by a hash of whom.",
        request=ChooseSerializer,
        responses={200: ChoiceSerializer},
        tags=["account"],
    )
    def create(self, request: Any) -> Response:
        data = ChooseSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        signed_in = request.user.is_authenticated
        choice, cookie = consents.choose(
            before=consents.read_choice(request.COOKIES.get(consents.COOKIE, "")),
            customer=registration.get_or_create_for_user(user=request.user) if signed_in else None,
            **data.validated_data,
        )
        response = Response(_choice(choice))
        response.set_cookie(consents.COOKIE, cookie, **consents.COOKIE_TERMS)
        return response


def _choice(choice: consents.Choice) -> dict[str, Any]:
    return ChoiceSerializer({"version": consents.VERSION, **asdict(choice)}).data


class MyAddressViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """The address book of the person who asks."""

    permission_classes = [SignedIn]
    serializer_class = AddressBookSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    # For the schema alone; who isn't signed in gets no rows.
    queryset = Address.objects.none()

    def get_queryset(self) -> QuerySet[Address]:
        if not self.request.user.is_authenticated:
            return super().get_queryset()
        return Address.objects.filter(customer__user=self.request.user).select_related("customer")

    @extend_schema(summary="My addresses", tags=["account"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="One of my addresses", tags=["account"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Add an address",
        description="Checked against the form of its country.",
        request=AddressInputSerializer,
        responses={201: AddressBookSerializer},
        tags=["account"],
    )
    def create(self, request: Any) -> Response:
        data = AddressInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        customer = registration.get_or_create_for_user(user=request.user)
        address = addresses.add_address(customer=customer, data=data.validated_data)
        return Response(AddressBookSerializer(address).data, status=201)

    @extend_schema(
        summary="Change an address",
        request=AddressInputSerializer,
        responses={200: AddressBookSerializer},
        tags=["account"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        address = self.get_object()
        data = AddressInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        address = addresses.update_address(address=address, data=data.validated_data)
        return Response(AddressBookSerializer(address).data)

    @extend_schema(summary="Delete an address", responses={204: None}, tags=["account"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        addresses.delete_address(address=self.get_object())
        return Response(status=204)


class CustomerViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "customers.view_customer",
        "retrieve": "customers.view_customer",
        "partial_update": "customers.change_customer",
        "tags": "customers.change_customer",
    }
    queryset = known_customers().select_related("group", "user").prefetch_related("tags")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    search_fields = ("email", "first_name", "last_name")
    ordering_fields = {"created": "created_at", "email": "email"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List customers", tags=["customers"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="A customer", responses={200: CustomerDetailSerializer}, tags=["customers"]
    )
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    @extend_schema(
        summary="Change a customer's group or note",
        request=CustomerChangeSerializer,
        responses={200: CustomerDetailSerializer},
        tags=["customers"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        customer = self.get_object()
        check_if_match(request, customer)
        data = CustomerChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._detail(profile.update_by_staff(customer=customer, **data.validated_data))

    @extend_schema(
        summary="Set a customer's tags",
        description="All of them; a tag that doesn't exist yet is made. Case doesn't matter.",
        request=CustomerTagsSerializer,
        responses={200: CustomerDetailSerializer},
        tags=["customers"],
    )
    def tags(self, request: Any, **kwargs: Any) -> Response:
        data = CustomerTagsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        profile.set_tags(customer=self.get_object(), tags=data.validated_data["tags"])
        return self._detail(self.get_object())

    def _detail(self, customer: Customer) -> Response:
        body = CustomerDetailSerializer(customer).data
        return Response(body, headers={"ETag": etag_of(customer)})


class CustomerTagViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "customers.view_customer"}
    queryset = CustomerTag.objects.all()
    serializer_class = CustomerTagSerializer
    ordering = ("key",)

    @extend_schema(summary="List the tags of customers", tags=["customers"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class CustomerGroupViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "customers.view_customergroup",
        "retrieve": "customers.view_customergroup",
        "create": "customers.add_customergroup",
        "partial_update": "customers.change_customergroup",
        "destroy": "customers.delete_customergroup",
    }
    queryset = CustomerGroup.objects.all()
    serializer_class = CustomerGroupSerializer
    lookup_field = "code"

    @extend_schema(summary="List customer groups", tags=["customers"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A customer group", tags=["customers"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a customer group",
        request=CustomerGroupInputSerializer,
        responses={201: CustomerGroupSerializer},
        tags=["customers"],
    )
    def create(self, request: Any) -> Response:
        data = CustomerGroupInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        group = profile.create_group(**data.validated_data)
        return Response(CustomerGroupSerializer(group).data, status=201)

    @extend_schema(
        summary="Rename a customer group",
        request=CustomerGroupChangeSerializer,
        responses={200: CustomerGroupSerializer},
        tags=["customers"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        group = self.get_object()
        data = CustomerGroupChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        group = profile.rename_group(group=group, **data.validated_data)
        return Response(CustomerGroupSerializer(group).data)

    @extend_schema(
        summary="Delete a customer group",
        description="Refused (`group_in_use`) while customers are in it.",
        responses={204: None},
        tags=["customers"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        profile.delete_group(group=self.get_object())
        return Response(status=204)
