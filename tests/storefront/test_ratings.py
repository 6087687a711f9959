"""Stars in lists: the item, the filter, the order, the facet, the structured data."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import outbox
from apps.reviews.services import approve_review, delete_review, reject_review
from apps.storefront.services.listing import rebuild
from tests.factories.reviews import ReviewFactory


@pytest.fixture
def rated(sell, store):
    """`rated("mug", 5, 4)`: a product with published reviews; the listing follows by itself."""

    def on_sale(slug, *ratings, **words):
        product = sell(100, slug=slug, name=slug.title())
        for rating in ratings:
            review = ReviewFactory(product=product, store=store, rating=rating, **words)
            approve_review(review=review)
        outbox.drain()
        return product

    return on_sale


def test_item_filter_order_and_facet_tell_the_stars(api, rated, slugs):
    rated("best", 5, 5, 4)
    rated("middling", 4, 3, 3, 3, 1, 1, 1, 1, 1, 1)
    rated("worst", 1, 1, 1, 1, 1, 1, 1, 1, 1, 2)
    rated("unknown")
    ReviewFactory(product__stores=[], rating=5)
    items = {
        item["slug"]: item["rating"] for item in api.get("/api/v1/products/").json()["results"]
    }
    assert items == {
        "best": {"average": 4.67, "count": 3},
        "middling": {"average": 1.9, "count": 10},
        "worst": {"average": 1.1, "count": 10},
        "unknown": {"average": None, "count": 0},
    }
    assert slugs(ordering="-rating") == ["best", "middling", "worst", "unknown"]
    assert slugs(rating_min="4") == slugs(rating_min="4.67") == ["best"]
    assert slugs(rating_min="1.1", ordering="-rating") == ["best", "middling", "worst"]
    assert slugs(rating_min="4.68") == []
    facets = api.get("/api/v1/products/facets/", {"rating_min": "1.5"}).json()
    assert (facets["count"], facets["ratings"]) == (
        2,
        [{"min": stars, "count": count} for stars, count in ((4, 1), (3, 1), (2, 1), (1, 2))],
    )


def test_rating_follows_what_becomes_of_its_reviews(api, rated, store):
    mug = rated("mug", 5)
    low = ReviewFactory(product=mug, store=store, rating=2)

    def average():
        outbox.drain()
        return api.get("/api/v1/products/mug/").json()["rating"]

    assert average() == {"average": 5.0, "count": 1}
    approve_review(review=low)
    assert average() == {"average": 3.5, "count": 2}
    reject_review(review=low, reason="Not this mug.")
    assert average() == {"average": 5.0, "count": 1}
    delete_review(review=mug.reviews.get(rating=5))
    assert average() == {"average": None, "count": 0}


def test_structured_data_has_the_rating_and_the_newest_reviews(api, rated):
    mug = rated("mug", 3, 5, 4, 4, title='It\'s a "mug"', text="</script>", author_name="")
    found = api.get("/api/v1/products/mug/").json()["seo"]["json_ld"]
    assert found["aggregateRating"] == {
        "@type": "AggregateRating",
        "ratingValue": 4.0,
        "reviewCount": 4,
        "bestRating": 5,
        "worstRating": 1,
    }
    assert [review["reviewRating"]["ratingValue"] for review in found["review"]] == [4, 4, 5]
    assert found["review"][0] == {
        "@type": "Review",
        "author": {"@type": "Person", "name": "A customer"},
        "datePublished": mug.reviews.first().created_at.date().isoformat(),
        "name": 'It\'s a "mug"',
        "reviewBody": "</script>",
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": 4,
            "bestRating": 5,
            "worstRating": 1,
        },
    }
    rated("cup")
    bare = api.get("/api/v1/products/cup/").json()["seo"]["json_ld"]
    assert "aggregateRating" not in bare
    assert "review" not in bare


def test_rebuilding_costs_the_same_however_many_were_reviewed(rated):
    ids = [rated(slug, 5, 4).pk for slug in ("one", "two", "three")]
    with CaptureQueriesContext(connection) as one:
        rebuild(product_ids=ids[:1])
    with CaptureQueriesContext(connection) as three:
        rebuild(product_ids=ids)
    assert len(three) == len(one)
