from __future__ import annotations

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.orders.models import Approval
from tests.factories.accounts import StaffFactory


class ApprovalFactory(DjangoModelFactory[Approval]):
    """Somebody wants to refund 1.00; `order` is to be named."""

    class Meta:
        model = Approval

    verb = "refund"
    amount = 100
    asked_by = factory.SubFactory(StaffFactory)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))
