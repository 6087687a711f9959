"""Writes of pick-up points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import clean_address
from apps.core.audit import assign, note
from apps.core.errors import DomainError
from apps.shipping.models import PickupPoint, ShippingMethod


class InvalidPickupPoint(DomainError):
    code = "invalid_pickup_point"
    message = _("Pick-up points belong to a method of the kind “pick-up”.")


def check_pickup_point(*, point: PickupPoint) -> None:
    """Raises InvalidPickupPoint for a method of another kind."""
    if point.method.kind != ShippingMethod.Kind.PICKUP:
        raise InvalidPickupPoint(field="method")


@transaction.atomic
def save_pickup_point(*, point: PickupPoint, changes: Mapping[str, Any]) -> PickupPoint:
    """Make a pick-up point, or change it. Raises InvalidPickupPoint and InvalidAddress."""
    adding, values = point._state.adding, dict(changes)
    if "address" in values:
        values["address"] = point_address(values["address"])
    before = assign(point, values)
    check_pickup_point(point=point)
    point.save()
    note(point, adding, before, values)
    return point


def point_address(address: Mapping[str, Any]) -> dict[str, str]:
    """An address as it is kept: a place has no last name. Raises InvalidAddress."""
    cleaned = clean_address({**address, "last_name": "-"})
    return {**cleaned, "last_name": ""}


@transaction.atomic
def delete_pickup_point(*, point: PickupPoint) -> None:
    """Delete a pick-up point; orders keep its name and address."""
    audit.record("delete", point)
    point.delete()
