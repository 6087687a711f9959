"""Reviews of the demo: buyers' own, some with photos, some waiting, one reported."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.files.base import ContentFile

from apps.core.context import Actor, acting
from apps.orders.models import Order, OrderLine
from apps.reviews import services
from apps.reviews.models import Review
from apps.stores.models import Store
from commerce.demo.pictures import draw
from commerce.demo.words import OPINIONS

# Within what a customer may write in an hour.
MOST = 40
# Every eighth waits for the staff, every fifth has a photo, every sixth an answer.
WAITS, PHOTO, ANSWERED = 8, 5, 6


def build_reviews(store: Store) -> Iterator[Review]:
    """What the demo's customers say of what they bought."""
    lines = (
        OrderLine.objects.filter(order__in=Order.objects.sold(), order__customer__isnull=False)
        .select_related("order__customer", "variant__product")
        .order_by("pk")
    )
    bought = {(line.order.customer_id, line.variant.product_id): line for line in lines}
    for number, line in enumerate(list(bought.values())[:MOST]):
        rating, title, text = OPINIONS[number % len(OPINIONS)]
        customer, product = line.order.customer, line.variant.product
        with acting(Actor(label=customer.email, ip=f"192.0.2.{number % 250}")):
            photo = [ContentFile(draw(product.name, 1).getvalue(), "photo.png")]
            photos = photo if number % PHOTO == 0 else []
            review = services.write_review(
                customer=customer,
                store=store,
                product=product,
                language="en",
                rating=rating,
                title=title,
                text=text,
                photos=services.take_photos(customer=customer, files=photos),
            )
        if number % WAITS != WAITS - 1:
            with acting(Actor(label="support@example.com")):
                services.approve_review(review=review)
                if number % ANSWERED == 1:
                    services.answer_review(review=review, text="Thank you for telling us!")
        yield review
    if bought:
        with acting(Actor(label="guest", ip="198.51.100.7")):
            published = Review.objects.published().order_by("-rating", "pk").last()
            if published:
                services.report_review(review=published, reason="false", text="Mine is fine.")
    while services.process_due():
        pass
