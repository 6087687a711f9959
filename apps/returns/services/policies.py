"""The terms of stores and categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict
from apps.fulfillment.services import UnknownCarrier
from apps.returns.models import ReturnPolicy
from apps.shipping.carriers import label_carriers


class PolicyTaken(Conflict):
    code = "policy_taken"
    message = _("There is a policy for this already.")


@transaction.atomic
def save_policy(*, policy: ReturnPolicy, changes: Mapping[str, Any]) -> ReturnPolicy:
    """Make a policy, or change it; returns that were asked for keep their terms.

    Raises PolicyTaken, UnknownCarrier.
    """
    if changes.get("label_carrier") and changes["label_carrier"] not in label_carriers():
        raise UnknownCarrier(field="label_carrier")
    adding = policy._state.adding
    for name, value in changes.items():
        setattr(policy, name, value)
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError as error:
        raise PolicyTaken(field="category") from error
    told = {name: str(value) for name, value in changes.items()}
    audit.record("create" if adding else "update", policy, told)
    return policy


@transaction.atomic
def delete_policy(*, policy: ReturnPolicy) -> None:
    """Delete a policy: the next less specific one counts."""
    audit.record("delete", policy)
    policy.delete()
