"""The ways into an account beside its password; one has to remain."""

from __future__ import annotations

from typing import TypeAlias

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.events import WayInAdded, WayInRemoved
from apps.accounts.models import Passkey, SecondFactor, SocialAccount, User
from apps.core import audit
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.ids import uuid7
from apps.core.locks import locked


class LastWayIn(Conflict):
    code = "last_way_in"
    message = _("Nothing else signs you in: set a password first, by “I have forgotten it”.")


class SecondFactorNeedsIt(Conflict):
    code = "second_factor_needs_it"
    message = _("This passkey is your second factor. Switch that off first.")


WayIn: TypeAlias = Passkey | SocialAccount


def tell_added(way: WayIn) -> None:
    """Write it down, and have its owner told. In the transaction that made it."""
    audit.record(f"add_{way._meta.model_name}", way.user, {"name": str(way)})
    publish(WayInAdded(user_id=str(way.user.public_id), way=str(way), key=str(uuid7())))


@transaction.atomic
def remove_way_in(*, way: WayIn) -> None:
    """Sign in by it no more; its owner is told. Raises LastWayIn and SecondFactorNeedsIt."""
    user = locked(User.objects.filter(pk=way.user_id)).get()
    way.delete()
    has_passkeys = Passkey.objects.filter(user=user).exists()
    has_social = SocialAccount.objects.filter(user=user, provider__is_active=True).exists()
    if not (user.has_usable_password() or has_passkeys or has_social):
        raise LastWayIn()
    if user.has_second_factor and not (
        has_passkeys or SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()
    ):
        raise SecondFactorNeedsIt()
    audit.record(f"remove_{way._meta.model_name}", user, {"name": str(way)})
    publish(WayInRemoved(user_id=str(user.public_id), way=str(way), key=str(uuid7())))
