"""Shapes of the account's API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import ApiKey, ApiKeyUsage, ApiPlan, RefreshToken, User
from apps.accounts.services.api_keys import MOST_OVERLAP
from apps.core.api.serializers import MoneyField, RowField, StrictSerializer

# Long passphrases are welcome; a megabyte to hash isn't.
PASSWORD = {"max_length": 256, "trim_whitespace": False}


class CredentialsSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(**PASSWORD)


class SignInSerializer(CredentialsSerializer):
    code = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=30,
        help_text="Of the authenticator app, or a backup code; where the second factor is on.",
    )


class PasswordSerializer(StrictSerializer):
    password = serializers.CharField(
        required=False, default="", help_text="Of who has one.", **PASSWORD
    )


class CodeSerializer(StrictSerializer):
    code = serializers.CharField(max_length=30)


class SwitchOffSerializer(PasswordSerializer):
    code = serializers.CharField(max_length=30)


class SecondFactorSerializer(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()
    is_required = serializers.BooleanField(help_text="Of staff, before anything of theirs opens.")
    backup_codes_left = serializers.IntegerField()


class SetupSerializer(serializers.Serializer[Any]):
    seed = serializers.CharField(help_text="To be typed into the authenticator app.")
    uri = serializers.CharField(help_text="The same for a QR code: otpauth://totp/…")


class BackupCodesSerializer(serializers.Serializer[Any]):
    backup_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Shown this once; each works once."
    )


class LiveSessionSerializer(serializers.ModelSerializer[RefreshToken]):
    id = serializers.UUIDField(source="family", read_only=True)
    last_used_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = RefreshToken
        fields = ("id", "started_at", "last_used_at", "expires_at", "ip", "agent")
        read_only_fields = fields


class RefreshSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=200)


class ChangePasswordSerializer(StrictSerializer):
    current_password = serializers.CharField(**PASSWORD)
    new_password = serializers.CharField(**PASSWORD)


class UserSerializer(serializers.ModelSerializer[User]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = User
        fields = ("id", "email", "first_name", "last_name", "language", "is_staff")
        read_only_fields = fields


class SessionSerializer(serializers.Serializer[Any]):
    """`access` goes into `Authorization: Bearer …`; `refresh` is used once, for the next pair."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds that `access` lives.")
    user = UserSerializer()


class ApiPlanSerializer(serializers.ModelSerializer[ApiPlan]):
    overage_price = MoneyField(
        read_only=True,
        allow_null=True,
        help_text="Of 1,000 calls over the quota; null: they are refused.",
    )

    class Meta:
        model = ApiPlan
        fields = (
            "code",
            "name",
            "calls_per_minute",
            "quota",
            "period",
            "overage_price",
            "is_default",
        )
        read_only_fields = fields


class ApiKeyChangeSerializer(StrictSerializer):
    plan = RowField(
        ApiPlan.objects.all(), required=False, allow_null=True, help_text="The code of a plan."
    )
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=50),
        required=False,
        max_length=50,
        help_text="Addresses and networks (CIDR) the key is taken from; empty: from anywhere.",
    )


class RotationSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=MOST_OVERLAP,
        help_text="How long the former secret works on; 0: it ends at once.",
    )


class ApiKeyUsageSerializer(serializers.ModelSerializer[ApiKeyUsage]):
    key = serializers.UUIDField(source="key.public_id", read_only=True)
    name = serializers.CharField(source="key.name", read_only=True)

    class Meta:
        model = ApiKeyUsage
        fields = ("key", "name", "day", "calls", "errors")
        read_only_fields = fields


class ApiKeyInputSerializer(ApiKeyChangeSerializer):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=200),
        min_length=1,
        max_length=200,
        help_text='Permissions of yours, e.g. ["orders.view_order"].',
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    user = serializers.EmailField(source="user.email", read_only=True)
    plan = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    allowed_networks = serializers.ListField(child=serializers.CharField(), read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "user",
            "prefix",
            "scopes",
            "plan",
            "allowed_networks",
            "previous_expires_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "created_at",
        )
        read_only_fields = fields


class NewApiKeySerializer(ApiKeySerializer):
    key = serializers.CharField(read_only=True, help_text="Shown this once.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")
        read_only_fields = fields


class SwitchedOnSerializer(BackupCodesSerializer):
    """Every session has ended; this is the new one."""

    session = SessionSerializer()
