"""Shapes of the reviews' API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.core.photos import CONTENT_TYPES, MAX_PHOTOS
from apps.reviews.models import STARS, Review, ReviewPhoto, ReviewReport
from apps.reviews.selectors import pictures_of


class ReviewInputSerializer(StrictSerializer):
    rating = serializers.IntegerField(min_value=STARS[0], max_value=STARS[-1])
    title = serializers.CharField(required=False, allow_blank=True, max_length=120)
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=5000, help_text="Plain text; HTML is refused."
    )
    author_name = serializers.CharField(
        required=False, allow_blank=True, max_length=80, help_text="Shown; the first name if blank."
    )
    photos = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MAX_PHOTOS,
        help_text="Ids of uploads, in the order of the photos. Of a change: all that remain.",
    )


class ReviewChangeSerializer(ReviewInputSerializer):
    rating = serializers.IntegerField(min_value=STARS[0], max_value=STARS[-1], required=False)


class ReviewUploadInputSerializer(StrictSerializer):
    content_type = serializers.ChoiceField(CONTENT_TYPES)


class ReviewUploadSerializer(serializers.Serializer[Any]):
    """Send `fields`, then the file as `file`, in multipart/form-data to `url`."""

    id = serializers.UUIDField(help_text="Names the photo in the review.")
    url = serializers.CharField()
    method = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]
    expires_at = serializers.DateTimeField()


class ReviewFileSerializer(StrictSerializer):
    token = serializers.CharField(max_length=1000)
    file = serializers.FileField()


class ReviewReportSerializer(StrictSerializer):
    reason = serializers.ChoiceField(ReviewReport.Reason.choices)
    text = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class HelpfulSerializer(serializers.Serializer[Any]):
    helpful_count = serializers.IntegerField(help_text="How many said that it helped them.")


class ReviewRejectionSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Its author reads it.")


class ReviewAnswerInputSerializer(StrictSerializer):
    text = serializers.CharField(max_length=5000, help_text="Plain text; HTML is refused.")


class ReviewAnswerSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewRenditionSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Absolute, or on this host.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ReviewPictureSerializer(ReviewRenditionSerializer):
    renditions = ReviewRenditionSerializer(many=True)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """As shoppers see it."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    author = serializers.CharField(read_only=True)
    photos = serializers.SerializerMethodField()
    answer = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields: tuple[str, ...] = (
            "id",
            "rating",
            "title",
            "text",
            "author",
            "language",
            "is_verified",
            "helpful_count",
            "created_at",
            "photos",
            "answer",
        )
        read_only_fields = fields

    @extend_schema_field(ReviewPictureSerializer(many=True))
    def get_photos(self, review: Review) -> list[dict[str, Any]]:
        return pictures_of(review)

    @extend_schema_field(ReviewAnswerSerializer(allow_null=True))
    def get_answer(self, review: Review) -> Any:
        answer = getattr(review, "answer", None)
        return answer and ReviewAnswerSerializer(answer).data


class ReviewProductSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class MyPhotoSerializer(serializers.ModelSerializer[ReviewPhoto]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = ReviewPhoto
        fields = ("id", "status", "error")
        read_only_fields = fields


class MyReviewSerializer(ReviewSerializer):
    """As its author sees it."""

    product = ReviewProductSerializer(read_only=True)
    uploads = MyPhotoSerializer(source="photos", many=True, read_only=True)

    class Meta(ReviewSerializer.Meta):
        fields = (
            *ReviewSerializer.Meta.fields,
            "author_name",
            "product",
            "status",
            "reason",
            "uploads",
        )
        read_only_fields = fields


class OpenReportSerializer(serializers.ModelSerializer[ReviewReport]):
    class Meta:
        model = ReviewReport
        fields = ("reason", "text", "is_open", "created_at")
        read_only_fields = fields


class StaffReviewSerializer(MyReviewSerializer):
    """As the staff sees it."""

    store = serializers.CharField(source="store.code", read_only=True)
    customer = serializers.UUIDField(
        source="customer.public_id", read_only=True, allow_null=True, default=None
    )
    order = serializers.CharField(
        source="order_line.order.number", read_only=True, allow_null=True, default=None
    )
    reports = OpenReportSerializer(many=True, read_only=True)

    class Meta(MyReviewSerializer.Meta):
        fields = (
            *MyReviewSerializer.Meta.fields,
            "store",
            "customer",
            "order",
            "moderated_at",
            "reports",
        )
        read_only_fields = fields


# Of all published reviews of a product, beside a page of them.
SUMMARY_SCHEMA = {
    "type": "object",
    "required": ["average", "count", "stars"],
    "properties": {
        "average": {"type": ["number", "null"], "description": "To two decimals."},
        "count": {"type": "integer"},
        "stars": {
            "type": "object",
            "description": "How many gave so many stars.",
            "required": [str(stars) for stars in STARS],
            "properties": {str(stars): {"type": "integer"} for stars in STARS},
        },
    },
}
