"""Who may sign in: people, their refresh tokens, and machines with keys."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedField
from apps.core.models import PublicModel


def normalize_email(email: str) -> str:
    """The form under which an address is stored and compared: trimmed, lower case."""
    return email.strip().lower()


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalize_email(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin, PublicModel):
    """Signs in by e-mail address. Shoppers and staff alike; `is_staff` opens the back office."""

    email = models.EmailField(_("e-mail"), unique=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    email_verified_at = models.DateTimeField(
        _("e-mail address proved"), null=True, blank=True, editable=False
    )
    # Whether its authenticator app is asked for; kept by `services.second_factor`.
    has_second_factor = models.BooleanField(_("second factor"), default=False, editable=False)
    # Counted up where every session has to end though the password stays.
    security_stamp = models.PositiveIntegerField(default=0, editable=False)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions of browsers end with the password, as Django's do, and with the stamp."""
        state = f"{self.password}\x00{self.security_stamp}"
        return salted_hmac("accounts.session", state, secret=secret, algorithm="sha256").hexdigest()


class SecondFactor(models.Model):
    """A person's authenticator app: a seed of time-based codes (RFC 6238), encrypted."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    seed = SealedField()
    # Until a first code has come back, it isn't asked for.
    confirmed_at = models.DateTimeField(null=True)
    # The last half minute whose code was taken: each works once.
    last_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.user_id)


class BackupCode(models.Model):
    """For who has lost the app; each works once. Stored as a hash."""

    user = models.ForeignKey(User, models.CASCADE, related_name="backup_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.user_id)


class RefreshToken(models.Model):
    """One link of a chain of rotating refresh tokens. Only its hash is stored.

    A used token that comes back means that somebody copied it: the whole family ends.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="refresh_tokens")
    family = models.UUIDField(db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    # Of the password and the address at the time: whoever changes them ends the family.
    fingerprint = models.CharField(max_length=64)
    # Of the first of the family: when somebody signed in, from where, with what.
    started_at = models.DateTimeField()
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")

    def __str__(self) -> str:
        return f"{self.user_id}/{self.family}"


class ApiKey(PublicModel):
    """A machine's key: acts as its user, within its scopes. Shown once, stored as a hash."""

    name = models.CharField(_("name"), max_length=100)
    user = models.ForeignKey(
        User, models.CASCADE, related_name="api_keys", verbose_name=_("acts as")
    )
    prefix = models.CharField(_("prefix"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(
        _("scopes"), default=list, help_text=_('Permissions, e.g. ["orders.view_order"].')
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def scope_set(self) -> frozenset[str]:
        return frozenset(self.scopes)

    @property
    def label(self) -> str:
        return f"api-key:{self.name}"

    @property
    def is_valid(self) -> bool:
        live = self.expires_at is None or self.expires_at > timezone.now()
        return live and self.revoked_at is None and self.user.is_active


def digest(token: str) -> str:
    """How secrets with enough entropy of their own are stored: SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()
