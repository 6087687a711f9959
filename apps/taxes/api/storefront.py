"""VAT numbers, for shoppers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Public
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseApi
from apps.stores.selectors import current_store
from apps.taxes import services
from apps.taxes.models import VATCheck


class VATNumberInputSerializer(StrictSerializer):
    number = serializers.CharField(max_length=20, help_text="With its country: DE136695976.")


class VATNumberSerializer(serializers.Serializer[VATCheck]):
    country = serializers.CharField(help_text="As VIES writes it: EL for Greece.")
    number = serializers.CharField(help_text="Without the country.")
    verdict = serializers.ChoiceField(choices=VATCheck.Verdict.choices)
    name = serializers.CharField(allow_blank=True, help_text="Empty where it isn't told.")


class VATNumberCheckView(BaseApi):
    permission_classes = [Public]

    @extend_schema(
        operation_id="vat_numbers_check",
        summary="Check a VAT number",
        description="Asks the European Commission's VIES. `unknown`: it couldn't be asked.",
        request=VATNumberInputSerializer,
        responses={200: VATNumberSerializer},
        tags=["taxes"],
    )
    def post(self, request: Any) -> Response:
        data = VATNumberInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        check = services.check_for_shopper(
            number=data.validated_data["number"], store=current_store(request)
        )
        return Response(VATNumberSerializer(check).data)
