"""Serializers that refuse what they don't know, and the shapes every room shares."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import get_attribute
from rest_framework.response import Response

from apps.core.money import MAX_AMOUNT, Money, MoneyError, money_json
from apps.core.scopes import must_name, scoped

_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
MONEY_SCHEMA = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["12.50"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
    },
    "additionalProperties": False,
}


class StrictSerializer(serializers.Serializer):
    """Input with an unknown member is refused: a typing error must not be lost silently."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := [str(name) for name in data if name not in known]:
                raise serializers.ValidationError(
                    {
                        name[:100]: [serializers.ErrorDetail(_("Unknown field."), "unknown_field")]
                        for name in unknown[:20]
                    }
                )
        return super().to_internal_value(data)


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer):
    """The same for model serializers; `fields` is always an explicit list."""


@extend_schema_field(MONEY_SCHEMA)
class MoneyField(serializers.Field):
    """Minor units in the database, `{"amount": "12.50", "currency": "EUR"}` outside.

    `currency` is the path from the object to its currency code. Input becomes `Money`.
    """

    default_error_messages = {"invalid": _('Money is {{"amount": "12.50", "currency": "EUR"}}.')}

    def __init__(self, *, currency: str = "currency", minimum: int | None = 0, **kw: Any) -> None:
        self.currency_path = currency.split(".")
        self.minimum = minimum
        super().__init__(**kw)

    def get_attribute(self, instance: Any) -> Any:
        amount = super().get_attribute(instance)
        if amount is None:
            return None
        return amount, get_attribute(instance, self.currency_path)

    def to_representation(self, value: tuple[int, str]) -> dict[str, str]:
        return money_json(*value)

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, dict) or set(data) != {"amount", "currency"}:
            self.fail("invalid")
        if not all(isinstance(data[name], str) for name in data):
            self.fail("invalid")
        if not _AMOUNT.fullmatch(data["amount"]):
            # A Decimal would also take 1e3, spaces and the digits of other scripts.
            self.fail("invalid")
        try:
            money = Money.of(data["amount"], data["currency"])
        except MoneyError as error:
            raise serializers.ValidationError(str(error)) from error
        if self.minimum is not None and money.amount < self.minimum:
            raise serializers.ValidationError(_("The amount is too small."), "min_value")
        return money


@extend_schema_field(MONEY_SCHEMA)
class MoneyDocument(serializers.JSONField):
    """Money that is shaped already, in the description of an answer."""


class TotalsSerializer(serializers.Serializer):
    """subtotal - discount + shipping = total, plus tax where it isn't included."""

    subtotal = MoneyDocument()
    discount = MoneyDocument()
    shipping = MoneyDocument()
    tax = MoneyDocument()
    total = MoneyDocument()
    tax_included = serializers.BooleanField()


class WaitingDocument(serializers.Serializer):
    """What wasn't done yet, and `GET /admin/approvals/{id}/` tells of."""

    approval = serializers.UUIDField(help_text="Another person of the staff has to approve it.")


def waiting_response(approval: Any) -> Response:
    """202: it isn't done; what was asked for waits for another person."""
    return Response(WaitingDocument({"approval": approval.public_id}).data, status=202)


class QuantityField(serializers.IntegerField):
    """A whole number of pieces; strings, booleans and floats are refused, not converted."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", 1_000_000)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or abs(data) > MAX_AMOUNT:
            self.fail("invalid")
        return super().to_internal_value(data)


class RowField(serializers.CharField):
    """One row of `queryset`, named by its public `key` (a code, a SKU); out comes that name.

    What staff are not to see is unknown to them. Whoever is limited to some stores has to name
    one where others needn't.
    """

    default_error_messages = {"does_not_exist": _("There is no {value}.")}

    def __init__(self, queryset: QuerySet[Any], *, key: str = "code", **kwargs: Any) -> None:
        self.queryset, self.key = queryset, key
        super().__init__(max_length=200, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        is_left_out = data is None or (data is serializers.empty and not self.root.partial)
        if is_left_out and must_name(self.queryset.model):
            self.fail("required")
        value = super().run_validation(data)
        if not isinstance(value, str):
            return value
        row = scoped(self.queryset).filter(**{self.key: value}).first()
        if row is None:
            self.fail("does_not_exist", value=value)
        return row

    def to_representation(self, value: Any) -> str:
        return str(getattr(value, self.key))


class AddressSerializer(StrictSerializer):
    """An address as the shopper sends it; services check it against its country."""

    first_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    company = serializers.CharField(required=False, allow_blank=True, max_length=200)
    line1 = serializers.CharField(required=False, allow_blank=True, max_length=200)
    line2 = serializers.CharField(required=False, allow_blank=True, max_length=200)
    city = serializers.CharField(required=False, allow_blank=True, max_length=100)
    region = serializers.CharField(required=False, allow_blank=True, max_length=100)
    postal_code = serializers.CharField(required=False, allow_blank=True, max_length=20)
    country = serializers.CharField(
        required=False, allow_blank=True, max_length=2, help_text="ISO 3166-1 alpha-2."
    )
    phone = serializers.CharField(required=False, allow_blank=True, max_length=40)
    vat_number = serializers.CharField(required=False, allow_blank=True, max_length=40)


class ProblemErrorSerializer(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


@extend_schema_serializer(component_name="Problem")
class ProblemSerializer(serializers.Serializer):
    """RFC 9457 problem document. Some codes add members (the fresh cart, for example)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable.")
    errors = ProblemErrorSerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField()
