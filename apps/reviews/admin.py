"""The moderation queue, and what each store has set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.storage import default_storage
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.reviews import services, states
from apps.reviews.models import Review, ReviewPhoto, ReviewReport, ReviewSettings

STATUS_COLOURS = {
    Review.Status.PENDING: "warning",
    Review.Status.APPROVED: "success",
    Review.Status.REJECTED: "danger",
}
THUMBNAIL = 160


class RejectForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Its author reads it."),
    )


class AnswerForm(ActionForm):
    text = forms.CharField(
        label=_("Answer"),
        max_length=5000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text=_("Plain text, shown below the review; its author is told by mail."),
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        if isinstance(obj, Review) and hasattr(obj, "answer"):
            self.fields["text"].initial = obj.answer.text


def _reject(review: Review, data: Mapping[str, Any]) -> Review:
    # Of a list nobody is asked for each reason.
    reason = data.get("reason") or _now("It breaks our rules for reviews.")
    return services.reject_review(review=review, reason=reason)


extend_actions(
    Review,
    Action(
        name="approve",
        label=_("Publish"),
        done=_("The review is published."),
        permission="reviews.moderate_review",
        run=lambda review, data: services.approve_review(review=review),
        offered=lambda review: review.status in states.sources("approve"),
        icon="check_circle",
        in_list=True,
    ),
    Action(
        name="reject",
        label=_("Reject"),
        done=_("The review is rejected."),
        permission="reviews.moderate_review",
        run=_reject,
        offered=lambda review: review.status in states.sources("reject"),
        form=RejectForm,
        icon="block",
        is_danger=True,
        in_list=True,
    ),
    Action(
        name="answer",
        label=_("Answer"),
        done=_("The answer is there."),
        permission="reviews.answer_review",
        run=lambda review, data: services.answer_review(review=review, text=data["text"]),
        form=AnswerForm,
        icon="reply",
    ),
    Action(
        name="withdraw",
        label=_("Withdraw the answer"),
        done=_("The answer is gone."),
        permission="reviews.answer_review",
        run=lambda review, data: services.withdraw_answer(review=review),
        offered=lambda review: hasattr(review, "answer"),
        icon="undo",
    ),
)


class PhotoInline(ReadOnlyTabularInline):
    model = ReviewPhoto
    fields = ("picture", "state", "error")
    readonly_fields = ("picture", "state", "error")

    @admin.display(description=_("photo"))
    def picture(self, photo: ReviewPhoto) -> str:
        if not photo.renditions:
            return "–"
        small = next(
            (size for size in photo.renditions if size["width"] >= THUMBNAIL), photo.renditions[-1]
        )
        return format_html(
            '<a href="{}" target="_blank" rel="noopener"><img src="{}" alt="" width="{}"'
            ' height="{}"></a>',
            default_storage.url(photo.renditions[-1]["path"]),
            default_storage.url(small["path"]),
            small["width"],
            small["height"],
        )

    @admin.display(description=_("status"))
    def state(self, photo: ReviewPhoto) -> str:
        return photo.get_status_display()


class ReportInline(ReadOnlyTabularInline):
    model = ReviewReport
    fields = ("created_at", "reason", "text", "is_open")
    readonly_fields = ("created_at",)
    ordering = ("-pk",)


class ReportedFilter(admin.SimpleListFilter):
    title = _("reported")
    parameter_name = "reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        reports = Exists(ReviewReport.objects.filter(review=OuterRef("pk"), is_open=True))
        return queryset.filter(reports) if self.value() == "yes" else queryset


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = (
        *("title_or_text", "stars", "product", "state", "is_verified", "reported", "pictures"),
        "created_at",
    )
    list_filter = ("status", ReportedFilter, "rating", "is_verified", "store")
    list_select_related = ("product",)
    search_fields = ("title", "text", "author_name", "=customer__email", "product__name")
    search_help_text = _("Words of the review, the author's name or e-mail, the product")
    ordering = ("-pk",)
    fields = (
        ("product", "store"),
        ("stars", "status", "is_verified"),
        "title",
        "text",
        ("author_name", "customer", "language"),
        "order",
        "the_answer",
        ("moderated_by", "moderated_at", "reason"),
        ("created_at", "public_id"),
    )
    readonly_fields = (
        *("stars", "status", "order", "the_answer", "moderated_by", "moderated_at", "reason"),
        *("created_at", "public_id"),
    )
    inlines = (PhotoInline, ReportInline)
    export_fields = (
        *("created_at", "product__slug", "store__code", "rating", "title", "text"),
        *("author_name", "is_verified", "status"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                open_reports=Count("reports", Q(reports__is_open=True), distinct=True),
                photo_count=Count("photos", distinct=True),
            )
        )

    @admin.display(description=_("review"))
    def title_or_text(self, review: Review) -> str:
        return review.title or Truncator(review.text).chars(40) or "–"

    @admin.display(description=_("stars"), ordering="rating")
    def stars(self, review: Review) -> str:
        return "★" * review.rating

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, review: Review) -> tuple[str, str]:
        return review.status, review.get_status_display()

    @admin.display(description=_("reports"), ordering="open_reports")
    def reported(self, review: Any) -> str:
        return str(review.open_reports or "")

    @admin.display(description=_("photos"), ordering="photo_count")
    def pictures(self, review: Any) -> str:
        return str(review.photo_count or "")

    @admin.display(description=_("bought with"))
    def order(self, review: Review) -> str:
        line = review.order_line
        if line is None:
            return "–"
        url = reverse("admin:orders_order_change", args=[line.order_id])
        return format_html('<a href="{}" class="text-link">{}</a>', url, line.order.number)

    @admin.display(description=_("answer"))
    def the_answer(self, review: Review) -> str:
        return review.answer.text if hasattr(review, "answer") else "–"


@admin.register(ReviewSettings)
class ReviewSettingsAdmin(ModelAdmin):
    list_display = ("store", "buyers_only", "is_moderated", "ask_after_days")
    list_select_related = ("store",)
    fields = ("store", "buyers_only", "is_moderated", "ask_after_days")
