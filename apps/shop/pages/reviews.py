"""What shoppers say of products: reading it, writing it, reporting it, my own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, NotFound
from apps.reviews import services
from apps.reviews.models import STARS, Review
from apps.reviews.selectors import (
    pictures_of,
    product_on_sale,
    published_reviews,
    settings_of,
    summary_of,
)
from apps.shop.pages.account import MyPage
from apps.shop.pages.base import Page
from apps.shop.pages.forms import ReportForm, ReviewForm
from apps.stores.models import Store

PER_PAGE = 10


def shown(review: Review) -> dict[str, Any]:
    """A review for `_review.html`."""
    return {"review": review, "pictures": pictures_of(review)}


class ReviewsPage(Page):
    """All reviews of a product, or those of so many stars."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        product = product_on_sale(store=self.store, slug=slug, group_id=self.group_id)
        helpful = request.GET.get("order") == "helpful"
        order = ("-helpful_count", "-pk") if helpful else ("-pk",)
        found = published_reviews(product=product, store=self.store).order_by(*order)
        stars = request.GET.get("rating", "")
        chosen = int(stars) if stars in map(str, STARS) else None
        if chosen:
            found = found.filter(rating=chosen)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        return self.show(
            "reviews",
            product=product,
            summary=summary_of(product=product, store=self.store),
            chosen=chosen,
            helpful=helpful,
            page=page,
            reviews=[shown(review) for review in page],
        )


class _FormPage(Page):
    """A form about a review; what a service refuses is told beside it."""

    def ask(self, template: str, form: Any, **context: Any) -> HttpResponse:
        status = 400 if form.errors else 200
        return self.show(template, status, form=form, **context)

    @staticmethod
    def told(form: Any, error: DomainError) -> None:
        form.add_error(error.field if error.field in form.fields else None, str(error))


class WriteReview(MyPage, _FormPage):
    """The form, for who hasn't reviewed it yet; their review, for who has."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        product = product_on_sale(store=self.store, slug=slug, group_id=self.group_id)
        mine = Review.objects.filter(customer=self.customer, product=product).first()
        if mine:
            return redirect("shop:my-review", mine.public_id)
        name = self.customer.first_name if self.customer else ""
        return self._ask(product, ReviewForm(initial={"author_name": name}))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        product = product_on_sale(store=self.store, slug=slug, group_id=self.group_id)
        form = ReviewForm(request.POST, request.FILES)
        if form.is_valid() and self._write(product, form):
            moderated = settings_of(self.store).is_moderated
            text = _("Thank you! We read your review before it is shown.")
            messages.success(request, text if moderated else _("Thank you! Your review is shown."))
            return redirect("shop:my-reviews")
        return self._ask(product, form)

    def _write(self, product: Any, form: ReviewForm) -> bool:
        words = form.words()
        try:
            photos = services.take_photos(customer=self.customer, files=words.pop("photos"))
            services.write_review(
                customer=self.customer,
                store=self.store,
                product=product,
                language=get_language() or self.store.language,
                photos=photos,
                **words,
            )
        except DomainError as error:
            self.told(form, error)
            return False
        return True

    def _ask(self, product: Any, form: ReviewForm) -> HttpResponse:
        return self.ask("review", form, product=product)


class MyReviews(MyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        mine = Review.objects.of_customer(self.customer.pk if self.customer else None).whole()
        page = Paginator(mine.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
        return self.show("my_reviews", page=page, reviews=[shown(review) for review in page])


class MyReview(MyPage, _FormPage):
    """Change one of my reviews; `delete` deletes it."""

    back = "my-reviews"

    def review(self, review_id: UUID) -> Review:
        mine = Review.objects.of_customer(self.customer.pk if self.customer else None).whole()
        found = mine.filter(public_id=review_id).first()
        if found is None:
            raise NotFound()
        return found

    def get(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        review = self.review(review_id)
        names = ("rating", "title", "text", "author_name")
        form = ReviewForm(initial={name: getattr(review, name) for name in names})
        return self._ask(review, form)

    def post(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        review = self.review(review_id)
        if "delete" in request.POST:
            services.delete_review(review=review)
            messages.success(request, _("Your review is deleted."))
            return redirect("shop:my-reviews")
        form = ReviewForm(request.POST, request.FILES)
        if form.is_valid() and self._change(review, form):
            messages.success(request, _("Your review is changed."))
            return redirect("shop:my-reviews")
        return self._ask(review, form)

    def _change(self, review: Review, form: ReviewForm) -> bool:
        words = form.words()
        dropped = set(self.request.POST.getlist("drop"))
        kept = [p.public_id for p in review.photos.all() if str(p.public_id) not in dropped]
        try:
            added = services.take_photos(customer=self.customer, files=words.pop("photos"))
            services.change_review(review=review, photos=[*kept, *added], **words)
        except DomainError as error:
            self.told(form, error)
            return False
        return True

    def _ask(self, review: Review, form: ReviewForm) -> HttpResponse:
        return self.ask("review", form, product=review.product, review=review)


def _published(store: Store, review_id: UUID) -> Review:
    """Raises NotFound."""
    found = Review.objects.published().whole().filter(public_id=review_id, store=store).first()
    if found is None:
        raise NotFound()
    return found


class HelpfulPage(Page):
    """The button beneath a review; without an account, too."""

    def post(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        review = _published(self.store, review_id)
        services.vote_helpful(review=review, customer=self.customer)
        messages.success(request, _("Thank you for telling us."))
        if request.POST.get("next"):
            return self.return_to(self.back)
        return redirect("shop:reviews", review.product.slug)


class ReportPage(_FormPage):
    """Telling that a review shouldn't be there; without an account, too."""

    def get(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        return self.ask("report", ReportForm(), review=self.review(review_id))

    def post(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        review, form = self.review(review_id), ReportForm(request.POST)
        if form.is_valid():
            try:
                services.report_review(review=review, customer=self.customer, **form.cleaned_data)
            except DomainError as error:
                self.told(form, error)
            else:
                messages.success(request, _("Thank you. We look at it."))
                return redirect("shop:product", review.product.slug)
        return self.ask("report", form, review=review)

    def review(self, review_id: UUID) -> Review:
        return _published(self.store, review_id)
