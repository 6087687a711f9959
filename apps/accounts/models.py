"""Who may sign in: people, their refresh tokens, and machines with keys."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField, SealedField
from apps.core.models import AppendOnlyModel, PublicModel
from apps.core.money import CURRENCY_CHOICES


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
    # Whether their limits are looked up; set by `StaffLimit`. Nobody else pays for that.
    is_limited = models.BooleanField(_("limited"), default=False, editable=False)
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

    @property
    def label(self) -> str:
        """Under which they act: staff by their address; a shopper by an id, since what timelines
        and the audit log hold stays there."""
        return self.email if self.is_staff else f"user:{self.public_id}"

    @property
    def needs_second_factor(self) -> bool:
        """Nothing of the staff's opens for whoever has none."""
        return self.is_staff and settings.STAFF_SECOND_FACTOR

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions of browsers end with password, address and stamp, as those of programs do."""
        state = f"{self.password}\x00{self.email}\x00{self.security_stamp}"
        return salted_hmac("accounts.session", state, secret=secret, algorithm="sha256").hexdigest()


class StaffLimit(models.Model):
    """One of the rows of a kind that somebody of the staff sees; without any, they see all.

    The foreign key of a subclass is called as its kind, and protects: what somebody is limited to
    can't go, which would let them see everything.
    """

    user = models.ForeignKey(
        User, models.CASCADE, related_name="%(class)ss", verbose_name=_("staff")
    )

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        User.objects.filter(pk=self.user_id, is_limited=False).update(is_limited=True)


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


class Passkey(PublicModel):
    """A device, or a keyring of them, that signs its owner in (WebAuthn). No secret of theirs."""

    user = models.ForeignKey(User, models.CASCADE, related_name="passkeys")
    name = models.CharField(_("name"), max_length=100)
    # Of the credential's id, which may be too long for an index.
    digest = models.CharField(max_length=64, unique=True)
    # Id and public key, as WebAuthn writes them (attested credential data).
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")

    def __str__(self) -> str:
        return self.name


class IdentityProvider(PublicModel):
    """Where people have accounts already: OpenID Connect, with our name and secret there."""

    class Kind(models.TextChoices):
        GOOGLE = "google", "Google"
        FACEBOOK = "facebook", "Facebook"
        OIDC = "oidc", "OpenID Connect"

    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    issuer = models.URLField(
        _("issuer"),
        blank=True,
        help_text=_(
            "Of OpenID Connect alone: https://login.example.com, as the provider names it."
        ),
    )
    client_id = models.CharField(_("client id"), max_length=255)
    client_secret = SealedField()
    trusts_email = models.BooleanField(
        _("its proved addresses count"),
        default=False,
        help_text=_("An address that it calls proved needn't be confirmed by our mail again."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SocialAccount(PublicModel):
    """A person's account at a provider, which signs them in here."""

    user = models.ForeignKey(User, models.CASCADE, related_name="social_accounts")
    provider = models.ForeignKey(
        IdentityProvider, models.PROTECT, related_name="accounts", verbose_name=_("provider")
    )
    # The hash of what the provider calls them: upper and lower case differ, on every engine.
    subject = models.CharField(max_length=64)
    # As the provider told it, to tell accounts apart.
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        verbose_name = _("social account")
        verbose_name_plural = _("social accounts")
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="one_account_per_subject")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.email}".strip()


class Challenge(models.Model):
    """Something begun that has to come back once, soon. Stored as a hash."""

    class Kind(models.TextChoices):
        ADD_PASSKEY = "add_passkey"
        PASSKEY = "passkey"
        DEPARTURE = "departure"
        ARRIVAL = "arrival"

    kind = models.CharField(max_length=20, choices=Kind)
    digest = models.CharField(max_length=64, unique=True)
    # Whose it is, where somebody was signed in.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    data = models.JSONField(default=dict)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.kind


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


class ApiPlan(PublicModel):
    """How much a key may be called, and what more costs."""

    class Period(models.TextChoices):
        DAY = "day", _("a day")
        MONTH = "month", _("a month")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    calls_per_minute = models.PositiveIntegerField(
        _("calls a minute"), default=600, validators=[MinValueValidator(1)]
    )
    quota = models.PositiveBigIntegerField(
        _("quota"), null=True, blank=True, help_text=_("Calls in a period; empty: no limit.")
    )
    period = models.CharField(
        _("period"),
        max_length=5,
        choices=Period,
        default=Period.MONTH,
        help_text=_("Of the calendar, in UTC."),
    )
    overage_price = AmountField(
        _("price of 1,000 calls over the quota"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: what is over the quota is refused."),
    )
    currency = models.CharField(
        _("currency"), max_length=3, choices=CURRENCY_CHOICES, default="EUR"
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("New keys are on this plan.")
    )

    class Meta:
        verbose_name = _("API plan")
        verbose_name_plural = _("API plans")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(calls_per_minute__gt=0), name="apiplan_pace_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(overage_price=None) | models.Q(overage_price__gte=0),
                name="apiplan_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(PublicModel):
    """A machine's key: acts as its user, within its scopes. Shown once, stored as a hash."""

    scope_by = {"user": "user"}

    name = models.CharField(_("name"), max_length=100)
    user = models.ForeignKey(
        User, models.CASCADE, related_name="api_keys", verbose_name=_("acts as")
    )
    prefix = models.CharField(_("prefix"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(
        _("scopes"), default=list, help_text=_('Permissions, e.g. ["orders.view_order"].')
    )
    plan = models.ForeignKey(
        ApiPlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="keys",
        verbose_name=_("plan"),
        help_text=_("Empty: the pace of everybody, no quota."),
    )
    # CIDR; empty: from anywhere.
    allowed_networks = models.JSONField(
        _("allowed networks"),
        default=list,
        blank=True,
        help_text=_("Addresses and networks (CIDR) it is taken from; empty: from anywhere."),
    )
    # The secret before the last rotation, which still works until then.
    previous_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    previous_expires_at = models.DateTimeField(
        _("former secret expires"), null=True, editable=False
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


class ApiKeyUsage(models.Model):
    """The calls of a key in a day (UTC). What was refused by its pace or quota isn't counted."""

    scope_by = {"user": "key__user"}

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="usage", verbose_name=_("API key"))
    day = models.DateField(_("day"))
    calls = models.PositiveBigIntegerField(_("calls"), default=0)
    errors = models.PositiveBigIntegerField(
        _("errors"), default=0, help_text=_("Calls that were answered 4xx or 5xx.")
    )

    class Meta:
        verbose_name = _("usage of an API key")
        verbose_name_plural = _("usage of API keys")
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="apikey_usage_day")]
        indexes = [models.Index(fields=["day"], name="apikey_usage_by_day")]

    def __str__(self) -> str:
        return f"{self.key_id}/{self.day}: {self.calls}"


class ApiKeyBill(PublicModel, AppendOnlyModel):
    """What a key was called in a month that is over, and what of it costs something."""

    scope_by = {"user": "key__user"}

    key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, related_name="bills", verbose_name=_("API key")
    )
    # Its first day.
    month = models.DateField(_("month"))
    calls = models.PositiveBigIntegerField(_("calls"))
    billable_calls = models.PositiveBigIntegerField(_("calls over the quota"))
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, blank=True)

    class Meta:
        verbose_name = _("bill of an API key")
        verbose_name_plural = _("bills of API keys")
        constraints = [models.UniqueConstraint(fields=["key", "month"], name="apikey_bill_month")]

    def __str__(self) -> str:
        return f"{self.key_id}/{self.month:%Y-%m}"


def digest(token: str) -> str:
    """How secrets with enough entropy of their own are stored: SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()
