"""Stores, the sellers in them, and the currencies they sell in."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import StaffLimit
from apps.core.models import PublicModel, TimestampedModel
from apps.core.money import CURRENCY_CHOICES
from apps.core.scopes import limit_by


def default_languages() -> list[str]:
    return ["en"]


def known_time_zone(name: str) -> None:
    """Raises ValidationError for a name that the IANA time zone database doesn't know."""
    if name not in available_timezones():
        raise ValidationError(_("There is no time zone of this name."))


class Store(TimestampedModel):
    """One sales channel: a domain, its currencies and languages, how it shows taxes."""

    scope_by = {"store": "pk"}

    class TaxRounding(models.TextChoices):
        LINE = "line", _("each line")
        UNIT = "unit", _("each piece")
        DOCUMENT = "document", _("the whole document")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    domain = models.CharField(
        _("domain"),
        max_length=200,
        unique=True,
        null=True,
        blank=True,
        help_text=_("The host whose requests belong to this store, e.g. shop.example.com."),
    )
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    default_currency = models.CharField(
        _("default currency"), max_length=3, choices=CURRENCY_CHOICES, default="EUR"
    )
    currencies = models.JSONField(
        _("currencies"), default=list, blank=True, help_text=_("Further currencies to sell in.")
    )
    languages = models.JSONField(_("languages"), default=default_languages)
    country = models.CharField(
        _("country"), max_length=2, default="ES", help_text=_("Where it is taxed by default.")
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=40,
        default="UTC",
        validators=[known_time_zone],
        help_text=_("Weekdays, opening hours and cut-off times are read in it: Europe/Madrid."),
    )
    prices_include_tax = models.BooleanField(_("prices include tax"), default=True)
    tax_rounding = models.CharField(
        _("tax rounding"), max_length=8, choices=TaxRounding, default=TaxRounding.LINE
    )
    shipping_tax_class = models.SlugField(
        _("shipping tax class"),
        default="standard",
        blank=True,
        help_text=_("Empty: shipping is taxed as the goods are, in proportion to their value."),
    )
    order_prefix = models.CharField(
        _("order number prefix"),
        max_length=10,
        unique=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9]*-$", _("Capitals, ended by a hyphen: WEB-"))],
    )
    email = models.EmailField(_("e-mail"), blank=True)
    # Who sells, on invoices: beside the country above and the VAT number of the tax settings.
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        known = dict(CURRENCY_CHOICES)
        if unknown := [c for c in self.currencies if c not in known]:
            raise ValidationError({"currencies": _("Unknown: %s") % ", ".join(map(str, unknown))})

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def language(self) -> str:
        """The code, without region, of the language that its texts are in: its first."""
        return str(self.languages[0]).partition("-")[0].lower() if self.languages else "en"

    @property
    def all_currencies(self) -> list[str]:
        return [self.default_currency, *(c for c in self.currencies if c != self.default_currency)]


class StoreLimit(StaffLimit):
    """Somebody of the staff sees only what belongs to this store (and to others they are
    limited to)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="limits", verbose_name=_("store"))

    class Meta:
        verbose_name = _("limit to a store")
        verbose_name_plural = _("limits to stores")
        constraints = [models.UniqueConstraint(fields=["user", "store"], name="storelimit_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.store_id}"


limit_by("store", StoreLimit)


class Sequence(models.Model):
    """A gapless counter: the row is locked from `next_number()` until the commit."""

    scope_by = {"store": "store"}

    store = models.ForeignKey(
        Store, models.PROTECT, related_name="sequences", verbose_name=_("store")
    )
    kind = models.CharField(_("kind"), max_length=20)
    last = models.PositiveBigIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("number sequence")
        verbose_name_plural = _("number sequences")
        constraints = [models.UniqueConstraint(fields=["store", "kind"], name="sequence_kind")]

    def __str__(self) -> str:
        return f"{self.store_id}/{self.kind}: {self.last}"


class Seller(PublicModel):
    """Who sells: null on products and lines means the merchant."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(models.Model):
    """Units of `currency` for one unit of `base` on a day."""

    base = models.CharField(_("base"), max_length=3, choices=CURRENCY_CHOICES)
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=8)
    date = models.DateField(_("date"))

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(fields=["base", "currency", "date"], name="rate_of_the_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.currency} {self.date}: {self.rate}"
