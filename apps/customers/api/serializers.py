"""Shapes of the customers' API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.accounts.models import User
from apps.core.addresses import FIELDS as ADDRESS_FIELDS
from apps.core.api.serializers import AddressSerializer, MoneyField, StrictSerializer
from apps.core.tags import LONGEST_TAG, MOST_TAGS
from apps.customers.models import Address, Customer, CustomerEvent, CustomerFigures, CustomerGroup
from apps.customers.services.consents import VERSION
from apps.customers.services.people import WISHES


class RegisterSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    # Long passphrases are welcome; a megabyte to hash isn't.
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    first_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    language = serializers.ChoiceField(settings.LANGUAGES, required=False)
    accepts_marketing = serializers.BooleanField(required=False)


class EmailSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)


class VerifyEmailSerializer(StrictSerializer):
    uid = serializers.UUIDField(help_text="Of the mail's link.")
    token = serializers.CharField(max_length=100, help_text="Of the mail's link.")


class ChangeEmailSerializer(EmailSerializer):
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class ConfirmEmailSerializer(VerifyEmailSerializer):
    token = serializers.CharField(max_length=1000, help_text="Of the mail's link.")


class ResetPasswordSerializer(VerifyEmailSerializer):
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class AccountSerializer(serializers.ModelSerializer[User]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = User
        fields = ("id", "email", "first_name", "last_name", "language", "is_staff")
        read_only_fields = fields


class RegistrationSerializer(serializers.Serializer[Any]):
    """The same answer as to a sign-in."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds that `access` lives.")
    user = AccountSerializer()


class MeSerializer(serializers.ModelSerializer[Customer]):
    """The customer as they see themselves; staff notes aren't theirs to read."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    email = serializers.EmailField(read_only=True)
    is_email_verified = serializers.SerializerMethodField()
    group = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)

    class Meta:
        model = Customer
        fields = (
            "id",
            "email",
            "is_email_verified",
            "first_name",
            "last_name",
            "phone",
            "language",
            "accepts_marketing",
            "group",
        )
        read_only_fields = fields

    def get_is_email_verified(self, customer: Customer) -> bool:
        return bool(customer.user and customer.user.email_verified_at)


class ProfileSerializer(StrictSerializer):
    first_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=40)
    language = serializers.ChoiceField(settings.LANGUAGES, required=False)
    accepts_marketing = serializers.BooleanField(required=False)


class EraseMeSerializer(StrictSerializer):
    password = serializers.CharField(
        required=False,
        max_length=256,
        trim_whitespace=False,
        help_text="Of the account, where it has one.",
    )
    code = serializers.CharField(
        required=False, max_length=20, help_text="Of the second factor, where there is one."
    )


class ChoiceSerializer(serializers.Serializer):
    """What a browser has chosen; `decided` is false until it has, and when the words changed."""

    version = serializers.CharField(default=VERSION)
    decided = serializers.BooleanField()
    statistics = serializers.BooleanField()
    marketing = serializers.BooleanField()


class ChooseSerializer(StrictSerializer):
    statistics = serializers.BooleanField()
    marketing = serializers.BooleanField()
    page = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Where it was asked."
    )


class PrivacyRequestSerializer(StrictSerializer):
    email = serializers.EmailField()
    wish = serializers.ChoiceField(WISHES)


class AddressInputSerializer(AddressSerializer):
    is_default_shipping = serializers.BooleanField(required=False)
    is_default_billing = serializers.BooleanField(required=False)


class AddressBookSerializer(serializers.ModelSerializer[Address]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Address
        fields = ("id", *ADDRESS_FIELDS, "is_default_shipping", "is_default_billing")
        read_only_fields = fields


class CustomerGroupSerializer(serializers.ModelSerializer[CustomerGroup]):
    class Meta:
        model = CustomerGroup
        fields = ("code", "name")
        read_only_fields = fields


class CustomerGroupInputSerializer(StrictSerializer):
    code = serializers.SlugField(max_length=40)
    name = serializers.CharField(max_length=120)


class CustomerGroupChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)


class CustomerSerializer(MeSerializer):
    """The customer as the staff sees them."""

    is_registered = serializers.SerializerMethodField()
    tags = serializers.SlugRelatedField(slug_field="name", read_only=True, many=True)

    class Meta(MeSerializer.Meta):
        fields = (
            *MeSerializer.Meta.fields,
            "is_registered",
            "tags",
            "note",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_is_registered(self, customer: Customer) -> bool:
        return customer.user_id is not None


class FiguresSerializer(serializers.ModelSerializer[CustomerFigures]):
    orders = serializers.IntegerField(help_text="Confirmed and not cancelled.")
    spent = MoneyField(help_text="Captured, less what went back.")
    average = MoneyField(help_text="Spent an order.")

    class Meta:
        model = CustomerFigures
        fields = ("currency", "orders", "spent", "average", "first_order_at", "last_order_at")
        read_only_fields = fields


class CustomerDetailSerializer(CustomerSerializer):
    addresses = AddressBookSerializer(many=True, read_only=True)
    figures = FiguresSerializer(many=True, read_only=True)
    segments = serializers.SlugRelatedField(slug_field="code", read_only=True, many=True)

    class Meta(CustomerSerializer.Meta):
        fields = (*CustomerSerializer.Meta.fields, "segments", "figures", "addresses")
        read_only_fields = fields


class CustomerChangeSerializer(StrictSerializer):
    group = serializers.SlugField(
        max_length=40, required=False, allow_null=True, help_text="A group's code."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000)

    def validate_group(self, code: str | None) -> CustomerGroup | None:
        group = CustomerGroup.objects.filter(code=code).first()
        if code is not None and group is None:
            raise serializers.ValidationError(_("There is no such group."), "does_not_exist")
        return group


class CustomerTagsSerializer(StrictSerializer):
    tags = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TAG), max_length=MOST_TAGS
    )


class CustomerTagSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()


class CustomerNoteSerializer(StrictSerializer):
    message = serializers.CharField(max_length=2000)


class CustomerEventSerializer(serializers.ModelSerializer[CustomerEvent]):
    class Meta:
        model = CustomerEvent
        fields = ("kind", "message", "data", "actor", "created_at")
        read_only_fields = fields
