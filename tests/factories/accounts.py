from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
import pyotp
import time_machine
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.models import IdentityProvider, Passkey, SocialAccount, User

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person-{n}@example.com")
    password = factory.django.Password(PASSWORD)
    first_name = "Pat"
    last_name = "Person"


class StaffFactory(UserFactory):
    """Staff; `permissions=["orders.view_order"]` puts them in a group that holds just those."""

    email = factory.Sequence(lambda n: f"staff-{n}@example.com")
    is_staff = True

    @factory.post_generation
    def permissions(self: User, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        if extracted is None:
            return
        group = Group.objects.create(name=f"group of {self.email}")
        for name in extracted:
            app_label, codename = name.split(".")
            group.permissions.add(
                Permission.objects.get(content_type__app_label=app_label, codename=codename)
            )
        self.groups.add(group)


class PasskeyFactory(DjangoModelFactory[Passkey]):
    """A row that no device answers for."""

    class Meta:
        model = Passkey

    name = "My phone"
    digest = factory.Sequence(lambda n: f"{n:064}")
    credential = b""


class IdentityProviderFactory(DjangoModelFactory[IdentityProvider]):
    """One whose addresses we know, so that nobody is asked for them."""

    class Meta:
        model = IdentityProvider

    slug = factory.Sequence(lambda n: f"facebook-{n}")
    name = "Facebook"
    kind = IdentityProvider.Kind.FACEBOOK
    client_id = "42"


class SocialAccountFactory(DjangoModelFactory[SocialAccount]):
    class Meta:
        model = SocialAccount

    provider = factory.SubFactory(IdentityProviderFactory)
    subject = factory.Sequence(lambda n: f"{n:064}")


class App:
    """An authenticator app: a seed and a clock."""

    def __init__(self, seed: str) -> None:
        self.totp = pyotp.TOTP(seed)

    def code(self, *, steps: int = 0) -> str:
        return self.totp.at(timezone.now() + timedelta(seconds=30 * steps))

    @staticmethod
    def clock() -> time_machine.travel:
        """Time stands still within a half minute, so that a code can't grow old in between."""
        now = int(time.time())
        return time_machine.travel(datetime.fromtimestamp(now - now % 30 + 15, UTC), tick=False)
