"""Price lists: the prices of a customer group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict
from apps.pricing.models import PriceList


class PriceListTaken(Conflict):
    code = "price_list_taken"
    message = _("There is a price list with this code already.")


class PriceListInUse(Conflict):
    code = "price_list_in_use"
    message = _("The list has prices or a price history; make it inactive instead.")


@transaction.atomic
def save_price_list(*, price_list: PriceList, changes: Mapping[str, Any]) -> PriceList:
    """Make a price list, or change it. Raises PriceListTaken."""
    adding = price_list.pk is None
    before = {} if adding else {name: getattr(price_list, name) for name in changes}
    for name, value in changes.items():
        setattr(price_list, name, value)
    try:
        with transaction.atomic():
            price_list.save()
    except IntegrityError as error:
        raise PriceListTaken(field="code") from error
    if adding:
        audit.record("add", price_list)
    else:
        audit.record("change", price_list, {n: [before[n], v] for n, v in changes.items()})
    return price_list


@transaction.atomic
def delete_price_list(*, price_list: PriceList) -> None:
    """Delete a list that never priced anything; raises PriceListInUse."""
    if price_list.prices.exists():
        raise PriceListInUse()
    audit.record("delete", price_list)
    try:
        price_list.delete()
    except ProtectedError as error:
        raise PriceListInUse() from error
