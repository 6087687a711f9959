"""Customers, their groups and their address book."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField, private_storage
from apps.core.models import AppendOnlyModel, PublicModel, StaffTag
from apps.core.personal import Reason


class CustomerGroup(models.Model):
    """Customers who get their own prices and, later, promotions and taxes."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("customer group")
        verbose_name_plural = _("customer groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CustomerTag(StaffTag):
    """A word that staff put on customers."""

    class Meta(StaffTag.Meta):
        verbose_name = _("customer tag")
        verbose_name_plural = _("customer tags")


class Customer(PublicModel):
    """A person who buys. With a user, one who can sign in."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="customer",
        verbose_name=_("user"),
    )
    email = models.EmailField(_("e-mail"), db_index=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    group = models.ForeignKey(
        CustomerGroup,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("group"),
    )
    tags = models.ManyToManyField(
        CustomerTag, blank=True, related_name="customers", verbose_name=_("tags")
    )
    accepts_marketing = models.BooleanField(_("accepts marketing"), default=False)
    # What everybody who opens the page has to know; what was said when is on the timeline.
    note = models.TextField(_("staff note"), blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    # They asked to be forgotten: out of every list at once, empty within a day.
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("export_customer", "Can export customers"),
            ("impersonate_customer", "Can be signed in as a customer in the shop"),
            ("merge_customer", "Can merge two customers into one"),
        ]

    def __str__(self) -> str:
        return self.email or str(self.public_id)


class Address(PublicModel):
    """One entry of the address book, in the country's own form (`apps.core.addresses`)."""

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="addresses", verbose_name=_("customer")
    )
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100)
    company = models.CharField(_("company"), max_length=200, blank=True)
    line1 = models.CharField(_("address"), max_length=200)
    line2 = models.CharField(_("address, second line"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(_("region"), max_length=100, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=40, blank=True)
    is_default_shipping = models.BooleanField(_("default for shipping"), default=False)
    is_default_billing = models.BooleanField(_("default for billing"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}, {self.line1}, {self.city}, {self.country}"


class CustomerEvent(AppendOnlyModel):
    """The timeline: what happened to a customer, and what the staff noted. For staff alone."""

    class Kind(models.TextChoices):
        REGISTERED = "registered", _("made an account")
        PASSWORD = "password", _("set a new password by mail")
        ORDERED = "ordered", _("ordered")
        CANCELLED = "cancelled", _("order cancelled")
        REFUNDED = "refunded", _("money went back")
        RETURN = "return", _("asked for a return")
        REVIEW = "review", _("review published")
        NOTE = "note", _("note")
        GROUP = "group", _("group changed")
        TAGS = "tags", _("tags changed")
        MERGED = "merged", _("merged")
        IMPORTED = "imported", _("imported")

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="timeline",
        db_index=False,
        verbose_name=_("customer"),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # A note's words, or what it is about: the number of an order.
    message = models.TextField(_("message"), blank=True)
    data = models.JSONField(default=dict)
    actor = models.CharField(_("actor"), max_length=254)
    # What happened ("order.placed:<id>"): told once, however often it is heard of.
    key = models.CharField(max_length=120, unique=True, null=True, editable=False)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["customer", "-id"], name="customer_timeline")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.kind}"


class CustomerFigures(models.Model):
    """What a customer's orders in one currency come to; counted anew whenever one changes.

    `orders` were confirmed and not cancelled; `spent` is what was captured less what went back.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="figures", db_index=False)
    currency = models.CharField(_("currency"), max_length=3)
    orders = models.PositiveIntegerField(_("orders"), default=0)
    spent = AmountField(_("spent"), default=0)
    first_order_at = models.DateTimeField(_("first order"), null=True)
    last_order_at = models.DateTimeField(_("last order"), null=True)

    class Meta:
        verbose_name = _("figures")
        verbose_name_plural = _("lifetime value")
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency"], name="figures_once")
        ]
        indexes = [
            # Segments: who spent how much, who ordered when.
            models.Index(fields=["currency", "spent"], name="figures_spent"),
            models.Index(fields=["last_order_at"], name="figures_last_order"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.currency}"

    @property
    def average(self) -> int:
        """Minor units spent an order, rounded down."""
        return self.spent // self.orders if self.orders else 0


class Segment(PublicModel):
    """Customers by rule (`selectors.segments`). Who they are is looked up every quarter of an
    hour, and for a customer whenever their orders change."""

    class Match(models.TextChoices):
        ALL = "all", _("all of them")
        ANY = "any", _("any of them")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    match = models.CharField(_("conditions fit"), max_length=3, choices=Match, default=Match.ALL)
    conditions = models.JSONField(_("conditions"), default=list)
    members = models.ManyToManyField(
        Customer, through="SegmentMember", related_name="segments", verbose_name=_("members")
    )
    refreshed_at = models.DateTimeField(_("refreshed"), null=True, editable=False)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of segments")
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="segment_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class Consent(AppendOnlyModel):
    """Evidence: who said yes or no to what, in which words, where and when. The newest holds."""

    class Category(models.TextChoices):
        STATISTICS = "statistics", _("statistics")
        MARKETING = "marketing", _("marketing")
        # Newsletters and offers: `Customer.accepts_marketing` is what it says now.
        EMAIL = "email", _("offers by e-mail")

    category = models.CharField(_("category"), max_length=10, choices=Category)
    given = models.BooleanField(_("given"))
    # Of the words that were shown.
    version = models.CharField(_("version of the text"), max_length=20)
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, related_name="consents", verbose_name=_("customer")
    )
    # Keyed hashes of the browser's cookie and of the IP address.
    visitor = models.CharField(max_length=64, blank=True)
    ip_hash = models.CharField(max_length=64, blank=True)
    page = models.CharField(_("page"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        # What a browser said last; what has had its time.
        indexes = [
            models.Index(fields=["visitor", "category"], name="consent_visitor"),
            models.Index(fields=["created_at"], name="consent_created"),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.given}"


class PersonalExport(PublicModel):
    """Everything the shop knows of somebody, as a file that doesn't last."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    # None for who has no account, and proved the address instead.
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="exports")
    # Where the link goes.
    email = models.EmailField(_("e-mail"))
    language = models.CharField(max_length=10, blank=True)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.QUEUED)
    file = models.FileField(
        _("file"), upload_to="personal/%Y/%m/", storage=private_storage, blank=True, max_length=255
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    # A worker that died leaves its lease; another one begins anew after it.
    lease_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)

    class Meta:
        verbose_name = _("copy of somebody's data")
        verbose_name_plural = _("copies of people's data")
        indexes = [
            # The worker's claim, and the sweeper of old files.
            models.Index(fields=["status", "lease_until"], name="personal_claim"),
            models.Index(fields=["expires_at"], name="personal_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class ErasureRequest(PublicModel):
    """Somebody is to be forgotten, or was. What is left here says nothing about them."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")

    # A keyed hash of whom: finds them again in a backup.
    subject = models.CharField(max_length=64, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, related_name="erasures", verbose_name=_("customer")
    )
    # By what their rows are found; forgotten at the end.
    user_pk = models.BigIntegerField(null=True, editable=False)
    emails = models.JSONField(default=list, editable=False)
    asked_by = models.CharField(_("asked by"), max_length=254)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.PENDING)
    # Models with open business: "orders.order".
    waits_for = models.JSONField(_("waits for"), default=list, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        permissions = [
            ("erase_person", "Can have a customer's data erased"),
            ("export_person", "Can have a customer's data sent to them"),
        ]
        # What is to be gone on with.
        indexes = [models.Index(fields=["status", "updated_at"], name="erasure_pending")]

    def __str__(self) -> str:
        return str(self.public_id)


class KeptRecord(models.Model):
    """One row that an erasure left something personal in, why, and until when."""

    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="kept")
    # "invoices.invoice" and its primary key.
    model = models.CharField(_("model"), max_length=80)
    row = models.BigIntegerField(_("row"))
    reason = models.CharField(_("reason"), max_length=9, choices=Reason)
    # The last day of the term; null for what has none.
    until = models.DateField(_("until"), null=True)
    emptied_at = models.DateTimeField(_("emptied"), null=True)

    class Meta:
        verbose_name = _("kept record")
        verbose_name_plural = _("kept records")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "model", "row"], name="kept_once")
        ]
        # The terms that are over.
        indexes = [models.Index(fields=["emptied_at", "until"], name="kept_terms")]

    def __str__(self) -> str:
        return f"{self.model} {self.row}"
