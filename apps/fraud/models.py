"""What checkouts are suspected of: the rules, what each checkout hit, what staff decided."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel, TimestampedModel
from apps.core.money import CURRENCY_CHOICES
from apps.fraud.querysets import AssessmentQuerySet


class FraudSettings(TimestampedModel):
    """From how many points on a store looks at a checkout, or refuses it. A store without a row
    checks nothing."""

    scope_by = {"store": "store"}

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, related_name="fraud_settings", verbose_name=_("store")
    )
    review_from = models.PositiveSmallIntegerField(
        _("review from"), default=50, help_text=_("Points: the order is held until staff decide.")
    )
    refuse_from = models.PositiveSmallIntegerField(
        _("refuse from"), default=100, help_text=_("Points: the checkout is refused.")
    )
    engine = models.CharField(
        _("engine"),
        max_length=40,
        blank=True,
        help_text=_("Who is asked beside the rules. One that doesn't answer means a review."),
    )

    class Meta:
        verbose_name = _("fraud settings")
        verbose_name_plural = _("fraud settings")
        constraints = [
            models.CheckConstraint(
                condition=Q(review_from__gt=0, refuse_from__gte=F("review_from")),
                name="fraud_thresholds_ordered",
            )
        ]

    def __str__(self) -> str:
        return str(self.store)


class FraudRule(PublicModel):
    """What makes a checkout suspicious, and how many points it adds."""

    scope_by = {"store": "store"}

    class Kind(models.TextChoices):
        MAIL_VELOCITY = "mail_velocity", _("many checkouts by one mailbox")
        IP_VELOCITY = "ip_velocity", _("many checkouts from one IP address")
        AMOUNT = "amount", _("a total of at least …")
        COUNTRY_DIFFERS = "country_differs", _("billed to another country than shipped to")
        COUNTRY = "country", _("billed or shipped to one of these countries")
        DISPOSABLE_MAIL = "disposable_mail", _("a disposable mailbox")
        BLOCKED = "blocked", _("blocked: always refused")
        ALLOWED = "allowed", _("allowed: never looked at")

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="fraud_rules", verbose_name=_("store")
    )
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    points = models.PositiveSmallIntegerField(_("points"), default=25)
    times = models.PositiveSmallIntegerField(
        _("times"), default=3, help_text=_("Of velocities: this many and more, with this one.")
    )
    hours = models.PositiveSmallIntegerField(_("within hours"), default=24)
    amount = AmountField(_("amount"), default=0)
    currency = models.CharField(
        _("currency"), max_length=3, choices=CURRENCY_CHOICES, default="EUR"
    )
    # Countries; or mailboxes, domains of mailboxes and IP addresses.
    values = models.JSONField(_("values"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("fraud rule")
        verbose_name_plural = _("fraud rules")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.get_kind_display()


class Assessment(PublicModel):
    """One checkout as the rules saw it, whether or not an order came of it."""

    scope_by = {"store": "store"}

    class Verdict(models.TextChoices):
        ALLOW = "allow", _("allowed")
        REVIEW = "review", _("to be reviewed")
        REFUSE = "refuse", _("refused")

    class Decision(models.TextChoices):
        OPEN = "open", _("open")
        RELEASED = "released", _("released")
        FRAUD = "fraud", _("fraud")

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    # What was checked out ("cart:<id>"): one row, however often it is tried.
    source = models.CharField(max_length=120, unique=True, editable=False)
    order = models.ForeignKey(
        "orders.Order",
        models.SET_NULL,
        null=True,
        related_name="assessments",
        verbose_name=_("order"),
    )
    email = models.EmailField(_("e-mail"))
    email_key = models.CharField(max_length=64, editable=False)
    ip = models.CharField(_("IP address"), max_length=45, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    total = AmountField(_("total"))
    score = models.PositiveIntegerField(_("points"))
    verdict = models.CharField(_("verdict"), max_length=6, choices=Verdict)
    decision = models.CharField(
        _("decision"), max_length=8, choices=Decision, default=Decision.OPEN, editable=False
    )
    decided_by = models.CharField(_("decided by"), max_length=254, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    # For staff alone.
    decision_reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("suspicious checkout")
        verbose_name_plural = _("suspicious checkouts")
        permissions = [("decide_assessment", "Can release held orders, or cancel them as fraud")]
        indexes = [
            # The velocities.
            models.Index(fields=["email_key", "created_at"], name="fraud_by_mail"),
            models.Index(fields=["ip", "created_at"], name="fraud_by_ip"),
            # The review queue.
            models.Index(fields=["verdict", "decision", "-id"], name="fraud_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.score}"


class Hit(models.Model):
    """One rule that a checkout hit, or what an engine said of it."""

    scope_by = {"store": "assessment__store"}

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="hits")
    # Not held by the database: a rule that is deleted while somebody checks out, after it was hit,
    # must not keep the order from being written. Reads join it.
    rule = models.ForeignKey(
        FraudRule,
        models.SET_NULL,
        null=True,
        db_constraint=False,
        related_name="hits",
        verbose_name=_("rule"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    points = models.PositiveSmallIntegerField(_("points"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("hit")
        verbose_name_plural = _("hits")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"
