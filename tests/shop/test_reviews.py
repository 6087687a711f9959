"""Reviews, as pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.core import outbox
from apps.reviews.models import Review
from apps.reviews.services import answer_review, approve_review, process_due
from tests.factories.products import ProductFactory
from tests.factories.reviews import ReviewFactory, bought
from tests.products.pictures import picture

pytestmark = pytest.mark.django_db
WRITE = "/products/mug/reviews/write/"


@pytest.fixture
def mug(sell):
    return sell(1200, stock=3, slug="mug", name="Mug")


@pytest.fixture
def buyer(visitor, shopper, mug, store):
    """The shopper, signed in, who has bought the mug."""
    bought(shopper.customer, mug, store)
    visitor.force_login(shopper)
    return visitor


def photo(name="photo.jpg", data=None):
    return SimpleUploadedFile(name, data or picture("JPEG", (400, 300)), "image/jpeg")


def test_review_with_photos_is_written_changed_and_deleted(buyer, shopper):
    assert b'name="rating" value="5"' in buyer.get(WRITE).content
    body = {"rating": 4, "title": "Fine", "text": "It holds tea.", "photos": [photo(), photo()]}
    assert buyer.post(WRITE, body)["Location"] == "/account/reviews/"
    review = Review.objects.get()
    assert (review.rating, review.author_name, review.status) == (4, "Sam", "pending")
    assert process_due() == 2
    page = buyer.get("/account/reviews/").content.decode()
    assert "We read your review before it is shown." in page
    assert page.count("<img") == 2

    mine = f"/account/reviews/{review.public_id}/"
    assert buyer.get(WRITE)["Location"] == mine
    first, second = review.photos.all()
    assert f'value="{first.public_id}"' in buyer.get(mine).content.decode()
    body = {"rating": 2, "text": "It leaks.", "drop": str(first.public_id), "photos": [photo()]}
    assert buyer.post(mine, body).status_code == 302
    review.refresh_from_db()
    assert (review.rating, review.text) == (2, "It leaks.")
    assert [p.status for p in review.photos.all()] == ["ready", "quarantined"]
    assert review.photos.first() == second
    buyer.post(mine, {"delete": "1"})
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "This field is required."),
        ({"rating": 9}, "Select a valid choice."),
        ({"rating": 4, "text": "<b>bold</b>"}, "Plain text, please: no HTML."),
    ],
)
def test_what_isnt_right_is_told_beside_the_form(buyer, body, told):
    answer = buyer.post(WRITE, {**body, "title": "Kept"})
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert b'value="Kept"' in answer.content
    assert not Review.objects.exists()


def test_too_many_photos_are_told(buyer):
    answer = buyer.post(WRITE, {"rating": 4, "photos": [photo() for _ in range(6)]})
    assert (answer.status_code, b"At most 5 photos." in answer.content) == (400, True)


def test_who_did_not_buy_is_told_and_a_guest_is_asked_to_sign_in(visitor, stranger, mug):
    assert visitor.get(WRITE)["Location"].startswith("/account/sign-in/?next=")
    visitor.force_login(stranger)
    answer = visitor.post(WRITE, {"rating": 1})
    assert answer.status_code == 400
    assert b"Only who bought it may review it." in answer.content
    review = ReviewFactory(product=mug)
    assert visitor.get(f"/account/reviews/{review.public_id}/").status_code == 404


def test_product_shows_the_newest_and_leads_to_all(visitor, mug, store, django_assert_num_queries):
    bare = visitor.get("/products/mug/").content.decode()
    assert "Nobody has reviewed it yet." in bare
    for rating in (5, 5, 4, 1):
        review = ReviewFactory(
            product=mug, store=store, rating=rating, title=f"<i>{rating}</i>", is_verified=True
        )
        approve_review(review=review)
    answer_review(review=review, text="Sorry <3 & thanks")
    outbox.drain()
    with django_assert_num_queries(9):
        page = visitor.get("/products/mug/").content.decode()
    assert page.count('class="review"') == 3
    for text in ("★★★★☆", "3.75 of 5 stars", "All 4 reviews", "Verified buyer"):
        assert text in page
    assert "&lt;i&gt;1&lt;/i&gt;" in page
    assert "Sorry &lt;3 &amp; thanks" in page
    assert "★★★★☆" in visitor.get("/search/").content.decode()

    everything = visitor.get("/products/mug/reviews/").content.decode()
    assert everything.count('class="review"') == 4
    fives = visitor.get("/products/mug/reviews/?rating=5").content.decode()
    assert fives.count('class="review"') == 2
    assert visitor.get("/products/mug/reviews/?rating=x&page=99").status_code == 200
    ProductFactory(slug="secret", status="draft", stores=[store])
    assert visitor.get("/products/secret/reviews/").status_code == 404


def test_stars_are_a_facet(visitor, mug, sell, store):
    sell(900, stock=1, slug="cup", name="Cup")
    approve_review(review=ReviewFactory(product=mug, store=store, rating=3))
    outbox.drain()
    groups = visitor.get("/search/?ordering=-rating").context["groups"]
    choices = next(group for group in groups if group["name"] == "Stars")["choices"]
    assert [(choice.label, choice.count) for choice in choices] == [
        ("3 stars or more", 1),
        ("2 stars or more", 1),
        ("1 star or more", 1),
    ]
    narrowed = visitor.get(f"/search/{choices[0].query}")
    assert [product["slug"] for product in narrowed.context["products"]] == ["mug"]
    groups = narrowed.context["groups"]
    chosen = next(group for group in groups if group["name"] == "Stars")["choices"][0]
    assert (chosen.chosen, chosen.query) == (True, "?ordering=-rating")


def test_anybody_finds_a_review_helpful(visitor, mug, store):
    first, _second = (
        approve_review(review=ReviewFactory(product=mug, store=store, title=title))
        for title in ("Tea stays hot", "Nice colour")
    )
    outbox.drain()
    url, page = f"/reviews/{first.public_id}/helpful/", "/products/mug/reviews/"
    assert f'action="{url}"' in visitor.get("/products/mug/").content.decode()
    answer = visitor.post(url, {"next": "/products/mug/"})
    assert (answer.status_code, answer["Location"]) == (302, "/products/mug/")
    assert visitor.post(url)["Location"] == page
    assert visitor.get(url).status_code == 405
    found = visitor.get(f"{page}?order=helpful").content.decode()
    assert found.index("Tea stays hot") < found.index("Nice colour")
    assert found.count("1 shopper found this helpful") == 1
    newest = visitor.get(page).content.decode()
    assert newest.index("Nice colour") < newest.index("Tea stays hot")
    waiting = ReviewFactory(product=mug, store=store)
    assert visitor.post(f"/reviews/{waiting.public_id}/helpful/").status_code == 404


def test_anybody_reports_a_review(visitor, mug, store):
    review = approve_review(review=ReviewFactory(product=mug, store=store, title="Buy pills"))
    url = f"/reviews/{review.public_id}/report/"
    assert b"Buy pills" in visitor.get(url).content
    assert visitor.post(url, {"reason": "nothing"}).status_code == 400
    answer = visitor.post(url, {"reason": "spam", "text": "Pills!"})
    assert answer["Location"] == "/products/mug/"
    assert [(r.reason, r.text) for r in review.reports.all()] == [("spam", "Pills!")]
    waiting = ReviewFactory(product=mug, store=store)
    assert visitor.get(f"/reviews/{waiting.public_id}/report/").status_code == 404
