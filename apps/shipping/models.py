"""Where we ship to, how, at what price, and when it arrives."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel, TimestampedModel
from apps.core.money import CURRENCY_CHOICES


def monday_to_friday() -> list[int]:
    return [1, 2, 3, 4, 5]


class Zone(PublicModel):
    """Patterns of places (engines/zones.py) that belong to it, and of places that don't."""

    name = models.CharField(_("name"), max_length=120)
    places = models.JSONField(_("places"), default=list)
    exclusions = models.JSONField(_("except"), default=list, blank=True)

    class Meta:
        verbose_name = _("shipping zone")
        verbose_name_plural = _("shipping zones")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ShippingMethod(TimestampedModel):
    scope_by = {"store": "store"}

    class Kind(models.TextChoices):
        DELIVERY = "delivery", _("delivery")
        PICKUP = "pickup", _("pick-up")

    # `selectors.methods_to()` fills them in: the rates in one currency, all prices as
    # `engines.tables.Table`, and the holidays that count.
    bands: list[ShippingRate]
    table: Any
    calendar: Any

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="shipping_methods", verbose_name=_("store")
    )
    zone = models.ForeignKey(Zone, models.PROTECT, related_name="methods", verbose_name=_("zone"))
    code = models.SlugField(_("code"), max_length=60)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.DELIVERY)
    min_days = models.PositiveIntegerField(_("days, at least"), default=1)
    max_days = models.PositiveIntegerField(_("days, at most"), default=5)
    cutoff_time = models.TimeField(
        _("cut-off time"),
        null=True,
        blank=True,
        help_text=_("Orders before it leave the same day. In the store's time zone."),
    )
    processing_days = models.PositiveSmallIntegerField(
        _("processing days"), default=0, help_text=_("Working days until a parcel leaves.")
    )
    # ISO 8601: Monday is 1.
    weekdays = models.JSONField(_("working days"), default=monday_to_friday)
    volume_divisor = models.PositiveIntegerField(
        _("volume divisor"),
        default=0,
        help_text=_("Cubic centimetres for a kilogram, such as 5000. 0: the weight alone counts."),
    )
    weight_step = models.PositiveIntegerField(
        _("weight step"),
        default=0,
        help_text=_("Weights are rounded up to so many grams. 0: they aren't rounded."),
    )
    carrier = models.SlugField(
        _("carrier"),
        max_length=40,
        default="table",
        help_text=_("Who sets the price: “table” is the rates below."),
    )
    service = models.CharField(
        _("service"), max_length=60, blank=True, help_text=_("The carrier's code of its service.")
    )
    per_location = models.BooleanField(
        _("a price for each location"),
        default=False,
        help_text=_("What several locations send is priced parcel by parcel, and added up."),
    )
    duties_paid = models.BooleanField(
        _("duties paid by the shop"),
        default=False,
        help_text=_("Delivered duty paid (DDP). Otherwise the recipient pays at the door (DAP)."),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("shipping method")
        verbose_name_plural = _("shipping methods")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="method_code_once_a_store"),
            models.CheckConstraint(
                condition=Q(min_days__lte=F("max_days")), name="method_days_ordered"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def _ordered(low: str, high: str) -> Q:
    return Q(**{f"{high}__isnull": True}) | Q(**{f"{high}__gt": F(low)})


class ShippingRate(models.Model):
    """The price of a method in a currency, for parcels within bounds (min <= x < max).

    Bounds are of the chargeable weight (grams), the worth of the goods, and the pieces. One row
    without bounds is a flat rate; several with bounds are a table.
    """

    method = models.ForeignKey(ShippingMethod, models.CASCADE, related_name="rates")
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    min_weight = models.PositiveIntegerField(_("from grams"), default=0)
    max_weight = models.PositiveIntegerField(_("below grams"), null=True, blank=True)
    min_value = AmountField(_("from value"), default=0)
    max_value = AmountField(_("below value"), null=True, blank=True)
    min_pieces = models.PositiveIntegerField(_("from pieces"), default=0)
    max_pieces = models.PositiveIntegerField(_("below pieces"), null=True, blank=True)
    price = AmountField(_("price"))
    per_kg = AmountField(
        _("per kilogram"), default=0, help_text=_("Added for each started one beyond “from grams”.")
    )
    free_above = AmountField(
        _("free from"), null=True, blank=True, help_text=_("Goods worth at least this ship free.")
    )
    free_max_weight = models.PositiveIntegerField(
        _("free up to grams"), null=True, blank=True, help_text=_("Heavier parcels aren't free.")
    )

    class Meta:
        verbose_name = _("shipping rate")
        verbose_name_plural = _("shipping rates")
        ordering = ["currency", "min_weight", "min_value", "min_pieces"]
        constraints = [
            models.UniqueConstraint(
                fields=["method", "currency", "min_weight", "min_value", "min_pieces"],
                name="rate_band_once",
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, per_kg__gte=0, min_value__gte=0),
                name="rate_not_negative",
            ),
            models.CheckConstraint(
                condition=_ordered("min_weight", "max_weight")
                & _ordered("min_value", "max_value")
                & _ordered("min_pieces", "max_pieces"),
                name="rate_band_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.currency}"


class ShippingSurcharge(models.Model):
    """A named addition to a method's price: an amount in a currency, or a percentage in any."""

    method = models.ForeignKey(ShippingMethod, models.CASCADE, related_name="surcharges")
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES, blank=True)
    amount = AmountField(_("amount"), null=True, blank=True)
    percent = models.DecimalField(
        _("percent"), max_digits=6, decimal_places=3, null=True, blank=True
    )
    places = models.JSONField(_("places"), default=list, blank=True)
    over_weight = models.PositiveIntegerField(_("over grams"), null=True, blank=True)

    class Meta:
        verbose_name = _("surcharge")
        verbose_name_plural = _("surcharges")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0, percent__isnull=True) & ~Q(currency="")
                | Q(amount__isnull=True, percent__gte=0, percent__lte=100),
                name="surcharge_flat_or_percent",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Holiday(PublicModel):
    """A day on which no parcel leaves or arrives, in a country or in one region of it."""

    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(
        _("region"), max_length=3, blank=True, help_text=_("ISO 3166-2 without the country.")
    )
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["date", "country", "region"]
        # Also the estimates' look-up, by country and date.
        constraints = [
            models.UniqueConstraint(fields=["country", "date", "region"], name="holiday_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.date}"


class PickupPoint(PublicModel):
    """Where a parcel of a pick-up method can be fetched."""

    scope_by = {"store": "method__store"}

    method = models.ForeignKey(
        ShippingMethod,
        models.CASCADE,
        related_name="pickup_points",
        verbose_name=_("shipping method"),
    )
    name = models.CharField(_("name"), max_length=200)
    # Shaped by `apps.core.addresses.clean_address`.
    address = models.JSONField(_("address"), default=dict)
    opening_hours = models.TextField(_("opening hours"), max_length=1000, blank=True)
    location_code = models.SlugField(
        _("location"),
        max_length=40,
        blank=True,
        help_text=_("The code of the location, if it is one of ours."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("pick-up point")
        verbose_name_plural = _("pick-up points")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class DutyRate(PublicModel):
    """What customs of a place take of goods: of the rates that fit, the closest one counts.

    `country` is ISO 3166-1, or EU for the whole customs union.
    """

    country = models.CharField(_("destination"), max_length=2)
    region = models.CharField(
        _("region"), max_length=3, blank=True, help_text=_("ISO 3166-2 without the country.")
    )
    hs_prefix = models.CharField(
        _("HS code begins with"),
        max_length=10,
        blank=True,
        help_text=_("Digits, such as 6912. Empty: all goods."),
    )
    origin = models.CharField(
        _("made in"), max_length=2, blank=True, help_text=_("Empty: in any country.")
    )
    # 1250 is 12.5 %.
    basis_points = models.PositiveIntegerField(_("hundredths of a percent"))

    class Meta:
        verbose_name = _("duty rate")
        verbose_name_plural = _("duty rates")
        ordering = ["country", "region", "hs_prefix", "origin"]
        # Also the estimates' look-up, by country.
        constraints = [
            models.UniqueConstraint(
                fields=["country", "region", "hs_prefix", "origin"], name="duty_rate_once"
            ),
            models.CheckConstraint(
                condition=Q(basis_points__lte=100_000), name="duty_rate_at_most_tenfold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.hs_prefix or '*'}"


class DutyThreshold(PublicModel):
    """Goods worth at most this are let in without duties (de minimis)."""

    country = models.CharField(_("destination"), max_length=2)
    region = models.CharField(
        _("region"), max_length=3, blank=True, help_text=_("ISO 3166-2 without the country.")
    )
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    amount = AmountField(_("free of duties up to"))

    class Meta:
        verbose_name = _("duty threshold")
        verbose_name_plural = _("duty thresholds")
        ordering = ["country", "region"]
        constraints = [
            models.UniqueConstraint(fields=["country", "region"], name="duty_threshold_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="duty_threshold_not_negative"),
        ]

    def __str__(self) -> str:
        return self.country
