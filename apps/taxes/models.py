"""Tax classes and their rates by place."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.core.models import AppendOnlyModel, PublicModel, TimestampedModel


class TaxClass(models.Model):
    """What a product is, for the tax office: standard, reduced, books …"""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("tax class")
        verbose_name_plural = _("tax classes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaxRate(PublicModel):
    """A percentage for a class in a country, a region or a range of postcodes, during a time.

    Rates of different levels add up (a state's and a city's); of one level only the closest to
    the address counts (a province's HST instead of the country's GST).
    """

    class Level(models.TextChoices):
        COUNTRY = "country", _("country")
        STATE = "state", _("state or province")
        COUNTY = "county", _("county")
        CITY = "city", _("city")
        SPECIAL = "special", _("special district")

    class Applies(models.TextChoices):
        ALL = "all", _("to all")
        SAME_REGION = "same_region", _("within the seller's region (CGST, SGST)")
        OTHER_REGION = "other_region", _("to other regions (IGST)")

    tax_class = models.ForeignKey(
        TaxClass, models.CASCADE, related_name="rates", verbose_name=_("tax class")
    )
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(
        _("region"), max_length=10, blank=True, help_text=_("ISO 3166-2 without the country.")
    )
    postcode_from = models.CharField(
        _("from postcode"),
        max_length=10,
        blank=True,
        help_text=_("Compared without blanks, as far as it is long: 902 is all that begin so."),
    )
    postcode_to = models.CharField(_("until postcode"), max_length=10, blank=True)
    level = models.CharField(
        _("level"),
        max_length=7,
        choices=Level,
        default=Level.COUNTRY,
        help_text=_("Rates of different levels add up; of one level the closest counts."),
    )
    applies = models.CharField(_("applies"), max_length=12, choices=Applies, default=Applies.ALL)
    name = models.CharField(_("name"), max_length=60, help_text=_("As on the invoice: IVA 21 %."))
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4)
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_to = models.DateField(_("until"), null=True, blank=True)
    source = models.CharField(
        _("source"), max_length=300, blank=True, help_text=_("Who says so, and as of when.")
    )

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["country", "region", "tax_class"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gte=0) & Q(percent__lte=100), name="percent_of_hundred"
            )
        ]
        # The till looks rates up by place.
        indexes = [models.Index(fields=["country", "region"], name="tax_place")]

    def __str__(self) -> str:
        return f"{self.name} ({self.country} {self.region})".replace(" )", ")")


class TaxSettings(TimestampedModel):
    """What the tax offices know of a store's seller. Without a row: registered at home only."""

    scope_by = {"store": "store"}

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, related_name="tax_settings", verbose_name=_("store")
    )
    region = models.CharField(
        _("region"),
        max_length=10,
        blank=True,
        help_text=_("Of the seller, ISO 3166-2 without the country: MH. India compares it."),
    )
    vat_number = models.CharField(
        _("own VAT number"),
        max_length=20,
        blank=True,
        help_text=_("With the country: ESB12345674. Asked with, VIES gives a consultation number."),
    )
    oss_from = models.DateField(
        _("One-Stop-Shop since"),
        null=True,
        blank=True,
        help_text=_(
            "From this day consumers in other EU countries pay their own country's VAT. Empty:"
            " below the threshold of 10,000 EUR a year, taxed at home."
        ),
    )
    registrations = models.JSONField(
        _("registered in"),
        default=list,
        blank=True,
        help_text=_('Further countries with a tax number of the seller\'s: ["GB"].'),
    )
    nexus = models.JSONField(
        _("nexus"),
        default=list,
        blank=True,
        help_text=_('US states where tax must be collected: ["CA", "NY"]. Empty: all.'),
    )
    keeps_gross = models.BooleanField(
        _("the same price everywhere"),
        default=True,
        help_text=_(
            "Where prices include tax: consumers abroad pay the same, whatever their tax. Else the"
            " price without tax stays the same."
        ),
    )

    engine = models.CharField(
        _("tax engine"),
        max_length=40,
        blank=True,
        help_text=_("Who says the rates instead of the table, which stands in for it."),
    )

    class Meta:
        verbose_name = _("tax settings")
        verbose_name_plural = _("tax settings")

    def __str__(self) -> str:
        return str(self.store)


class TaxExemption(PublicModel):
    """A customer who pays no tax in a place, and the certificate that says so."""

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="tax_exemptions",
        verbose_name=_("customer"),
    )
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(
        _("region"), max_length=10, blank=True, help_text=_("Empty: in the whole country.")
    )
    certificate = models.CharField(_("certificate number"), max_length=60)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_to = models.DateField(_("until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("tax exemption")
        verbose_name_plural = _("tax exemptions")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.certificate} ({self.country})"


class VATCheck(AppendOnlyModel):
    """What VIES said of a VAT number, and when: the evidence for a sale without VAT.

    "unknown" is no answer: VIES, or the country behind it, couldn't be asked.
    """

    class Verdict(models.TextChoices):
        VALID = "valid", _("valid")
        INVALID = "invalid", _("invalid")
        UNKNOWN = "unknown", _("unknown")

    public_id = models.UUIDField(_("public id"), default=uuid7, unique=True, editable=False)
    # As VIES writes it: EL for Greece, XI for Northern Ireland; the number without it.
    country = models.CharField(_("country"), max_length=2)
    number = models.CharField(_("number"), max_length=14)
    verdict = models.CharField(_("verdict"), max_length=7, choices=Verdict)
    name = models.CharField(_("name"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    requester = models.CharField(_("asked by"), max_length=16, blank=True)
    consultation = models.CharField(_("consultation number"), max_length=60, blank=True)
    fault = models.CharField(_("fault"), max_length=60, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("VAT number check")
        verbose_name_plural = _("VAT number checks")
        ordering = ["-pk"]
        # The newest check of a number.
        indexes = [models.Index(fields=["country", "number", "created_at"], name="vat_newest")]

    def __str__(self) -> str:
        return f"{self.country}{self.number}: {self.verdict}"
