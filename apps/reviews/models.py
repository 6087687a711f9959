"""What shoppers say of products, and what was said of that."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel, TimestampedModel, UploadedPhoto
from apps.reviews import states
from apps.reviews.querysets import ReviewQuerySet

STARS = (1, 2, 3, 4, 5)


class ReviewSettings(TimestampedModel):
    """How a store holds it; without a row, as the defaults say."""

    scope_by = {"store": "store"}

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    buyers_only = models.BooleanField(
        _("only buyers"),
        default=True,
        help_text=_("Only who bought a product may review it; else everybody with an account."),
    )
    is_moderated = models.BooleanField(
        _("moderated"),
        default=True,
        help_text=_("Nothing is published before somebody of the staff has approved it."),
    )
    ask_after_days = models.PositiveSmallIntegerField(
        _("ask after days"),
        null=True,
        blank=True,
        help_text=_(
            "So many days after the delivery, buyers with an account are asked for a review by"
            " mail, once an order. Empty: nobody is asked."
        ),
    )

    class Meta:
        verbose_name = _("review settings")
        verbose_name_plural = _("review settings")

    def __str__(self) -> str:
        return str(self.store)


class Review(PublicModel):
    """One customer's opinion of one product. Title and text are plain text, never HTML."""

    scope_by = {"store": "store"}

    class Status(models.TextChoices):
        PENDING = states.PENDING, _("waiting")
        APPROVED = states.APPROVED, _("published")
        REJECTED = states.REJECTED, _("rejected")

    product = models.ForeignKey(
        "products.Product", models.CASCADE, related_name="reviews", verbose_name=_("product")
    )
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    # Null once they are erased; the review stays, without their name.
    customer = models.ForeignKey(
        "customers.Customer",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reviews",
        verbose_name=_("customer"),
    )
    author_name = models.CharField(_("author"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=10)
    rating = models.PositiveSmallIntegerField(_("stars"))
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(_("text"), blank=True)
    is_verified = models.BooleanField(_("verified buyer"), default=False)
    # What proves that they bought it.
    order_line = models.ForeignKey(
        "orders.OrderLine",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("bought as"),
    )
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.PENDING, editable=False
    )
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("moderated by"),
    )
    moderated_at = models.DateTimeField(_("moderated"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    # How many said that it helped them.
    helpful_count = models.PositiveIntegerField(_("helpful to"), default=0, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        permissions = [
            ("moderate_review", "Can approve and reject reviews"),
            ("answer_review", "Can answer reviews in the shop's name"),
        ]
        constraints = [
            # Erased customers are null, and null equals nothing.
            models.UniqueConstraint(fields=["customer", "product"], name="review_once"),
            models.CheckConstraint(
                condition=Q(rating__gte=STARS[0], rating__lte=STARS[-1]), name="review_rating"
            ),
            models.CheckConstraint(
                condition=Q(status__in=states.STATES), name="review_status_known"
            ),
        ]
        indexes = [
            # A product's page of reviews, newest first; its recount.
            models.Index(fields=["product", "store", "status", "id"], name="review_newest"),
            # The same by stars.
            models.Index(
                fields=["product", "store", "status", "rating", "id"], name="review_by_rating"
            ),
            # The most helpful first.
            models.Index(
                fields=["product", "store", "status", "helpful_count", "id"],
                name="review_by_helpful",
            ),
            # The moderation queue.
            models.Index(fields=["status", "id"], name="review_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.rating}★ {self.title or self.text[:60]}".strip()

    @property
    def author(self) -> str:
        """The name that is shown."""
        return self.author_name or str(_("A customer"))


class ReviewAnswer(TimestampedModel):
    """What the shop has to say to a review; one."""

    review = models.OneToOneField(Review, models.CASCADE, related_name="answer")
    text = models.TextField(_("text"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")

    def __str__(self) -> str:
        return self.text[:60]


class ReviewReport(TimestampedModel):
    """Somebody finds that a review shouldn't be there."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("advertising")
        OFFENSIVE = "offensive", _("offensive")
        PERSONAL = "personal", _("personal data")
        FALSE = "false", _("not true")
        OTHER = "other", _("something else")

    review = models.ForeignKey(Review, models.CASCADE, related_name="reports")
    reason = models.CharField(_("reason"), max_length=9, choices=Reason)
    text = models.CharField(_("text"), max_length=1000, blank=True)
    # A keyed hash of the account, or of the network: who reported it, once.
    reporter = models.CharField(max_length=64, editable=False)
    # Nobody of the staff has decided since.
    is_open = models.BooleanField(_("open"), default=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [models.UniqueConstraint(fields=["review", "reporter"], name="reported_once")]

    def __str__(self) -> str:
        return self.get_reason_display()


class ReviewVote(models.Model):
    """Somebody found a review helpful."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="votes")
    # A keyed hash of the account, or of the network: who it was, once.
    voter = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("helpful vote")
        verbose_name_plural = _("helpful votes")
        constraints = [models.UniqueConstraint(fields=["review", "voter"], name="helpful_once")]

    def __str__(self) -> str:
        return str(self.review_id)


class ReviewPhoto(UploadedPhoto):
    """A shopper's picture of a product."""

    folder = "reviews"

    # Null before the review is written that it belongs to.
    review = models.ForeignKey(Review, models.CASCADE, null=True, related_name="photos")
    customer = models.ForeignKey("customers.Customer", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("review photo")
        verbose_name_plural = _("review photos")
        ordering = ["position", "pk"]
        # The workers' claim, and what was never used.
        indexes = [models.Index(fields=["status", "due_at"], name="reviewphoto_due")]


class ReviewSummary(TimestampedModel):
    """The published reviews of a product in a store, counted."""

    product = models.ForeignKey("products.Product", models.CASCADE, related_name="+")
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    count = models.PositiveIntegerField(default=0)
    # The sum of their ratings.
    stars = models.PositiveIntegerField(default=0)
    one = models.PositiveIntegerField(default=0)
    two = models.PositiveIntegerField(default=0)
    three = models.PositiveIntegerField(default=0)
    four = models.PositiveIntegerField(default=0)
    five = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("review summary")
        verbose_name_plural = _("review summaries")
        constraints = [
            models.UniqueConstraint(fields=["product", "store"], name="reviewsummary_once"),
            models.CheckConstraint(
                condition=Q(count=F("one") + F("two") + F("three") + F("four") + F("five")),
                name="reviewsummary_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.store_id}: {self.average}"

    @property
    def average(self) -> float | None:
        """To two decimals; None without reviews."""
        return round(self.stars / self.count, 2) if self.count else None

    @property
    def by_stars(self) -> dict[int, int]:
        """How many gave so many stars."""
        return dict(zip(STARS, (self.one, self.two, self.three, self.four, self.five), strict=True))


class ReviewInvitation(TimestampedModel):
    """The buyer of an order was asked for reviews: once."""

    order = models.OneToOneField("orders.Order", models.CASCADE, related_name="review_invitation")

    class Meta:
        verbose_name = _("review invitation")
        verbose_name_plural = _("review invitations")

    def __str__(self) -> str:
        return str(self.order)
