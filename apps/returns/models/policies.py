"""What a store takes back, and on what terms."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel

DEFAULT_DAYS = 30


class Condition(models.TextChoices):
    """From the best to the worst."""

    SEALED = "sealed", _("in its unopened packaging")
    UNUSED = "unused", _("opened, not used")
    USED = "used", _("used or damaged")


class ReturnPolicy(PublicModel):
    """The terms of a store, or of a category (and all below it) in that store."""

    scope_by = {"store": "store"}

    class Payer(models.TextChoices):
        CUSTOMER = "customer", _("the customer")
        STORE = "store", _("the store")

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="return_policies", verbose_name=_("store")
    )
    category = models.ForeignKey(
        "products.Category",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("category"),
        help_text=_("With all below it; of several policies the deepest counts. Empty: the rest."),
    )
    # "<store>:<category>", 0 for none: NULLs wouldn't clash.
    scope = models.CharField(max_length=50, unique=True, editable=False)
    days = models.PositiveSmallIntegerField(
        _("days"), default=DEFAULT_DAYS, help_text=_("So long after the delivery.")
    )
    condition = models.CharField(
        _("condition"),
        max_length=6,
        choices=Condition,
        default=Condition.UNUSED,
        help_text=_("The worst in which it is taken back, unless it was our fault."),
    )
    is_final_sale = models.BooleanField(
        _("final sale"),
        default=False,
        help_text=_("Not taken back. The right of withdrawal stands, unless it is exempt."),
    )
    is_exempt = models.BooleanField(
        _("no right of withdrawal"),
        default=False,
        help_text=_("Directive 2011/83/EU, article 16: made to order, perishable, unsealed …"),
    )
    fee_percent = models.DecimalField(
        _("restocking fee in percent"),
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    fee_fixed = AmountField(
        _("restocking fee of a line"),
        currency="store.default_currency",
        default=0,
        help_text=_("Of orders in the store's default currency."),
    )
    shipping_paid_by = models.CharField(
        _("return shipping paid by"), max_length=8, choices=Payer, default=Payer.CUSTOMER
    )
    charges_difference = models.BooleanField(
        _("dearer variants are charged for"),
        default=False,
        help_text=_("The difference of today's prices. Else another size costs nothing more."),
    )
    label_carrier = models.CharField(
        _("carrier of return labels"),
        max_length=40,
        blank=True,
        help_text=_("A label is bought of it when a return is approved. Empty: staff do, or none."),
    )
    label_service = models.CharField(
        _("service of return labels"),
        max_length=60,
        blank=True,
        help_text=_("The carrier's code of its service."),
    )
    deducts_label = models.BooleanField(
        _("labels are taken off the refund"),
        default=False,
        help_text=_("Where the customer pays for the return, in the currency of the label."),
    )
    instructions = models.TextField(
        _("instructions"),
        blank=True,
        max_length=2000,
        help_text=_("Where to and how to send it; stands in the mail of approval."),
    )

    class Meta:
        verbose_name = _("return policy")
        verbose_name_plural = _("return policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(fee_percent__gte=0, fee_percent__lte=100, fee_fixed__gte=0),
                name="return_policy_fee",
            )
        ]

    def __str__(self) -> str:
        return f"{self.store}: {self.category}" if self.category_id else str(self.store)

    def clean(self) -> None:
        # Not of the form, so Django doesn't ask whether it is unique.
        same = ReturnPolicy.objects.filter(scope=self._scope()).exclude(pk=self.pk)
        if self.store_id and same.exists():
            raise ValidationError({"category": _("There is a policy for this already.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.scope = self._scope()
        super().save(*args, **kwargs)

    def _scope(self) -> str:
        return f"{self.store_id}:{self.category_id or 0}"
