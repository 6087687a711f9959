"""What a shopper reads: one flat row per product, store and currency, with its JSON ready."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel, TimestampedModel
from apps.storefront.querysets import ListingQuerySet


class Listing(TimestampedModel):
    """A projection, rebuilt by events and by `manage.py rebuild_listing`; never the truth.

    The cart asks the till and the stock, so a row that is seconds old can't sell wrongly.
    """

    product = models.ForeignKey("products.Product", models.CASCADE, related_name="listings")
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="listings")
    currency = models.CharField(max_length=3)
    brand = models.ForeignKey("products.Brand", models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=300)
    # The name's words by their stems, for the phrase it begins with.
    search_text = models.TextField()
    price = AmountField(_("lowest price"))
    in_stock = models.BooleanField()
    # The average rating in hundredths of a star; 0: nobody has rated it.
    rating = models.PositiveSmallIntegerField(default=0)
    # Pieces sold lately, counted by a task.
    popularity = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    # Of the publication, which knows the groups.
    members_only = models.BooleanField(default=False)
    # When a price window opens or closes next: the row must be rebuilt then.
    stale_at = models.DateTimeField(null=True, db_index=True)
    # The list item and the product page, as API.md shapes them (JSON text, not parsed).
    item = models.TextField()
    detail = models.TextField()
    # What the product counts for in facets, as `facet_text()` writes it.
    facets = models.TextField()
    # Drawn from the product's key, once: those with the lowest are a fair sample of any list.
    lot = models.PositiveIntegerField()

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints = [
            models.UniqueConstraint(fields=["product", "store", "currency"], name="listing_once")
        ]
        indexes = [
            # Lists of a store, by each order that the API offers; ties by product.
            models.Index(fields=["store", "currency", "price", "product"], name="listing_price"),
            models.Index(fields=["store", "currency", "name", "product"], name="listing_name"),
            models.Index(
                fields=["store", "currency", "popularity", "product"], name="listing_popular"
            ),
            models.Index(fields=["store", "currency", "rating", "product"], name="listing_rated"),
            models.Index(fields=["store", "currency", "product"], name="listing_newest"),
            models.Index(fields=["store", "currency", "lot"], name="listing_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.store_id}, {self.currency})"


class BoughtTogether(models.Model):
    """Two products that orders of a store lately held together; the most frequent of each."""

    product = models.ForeignKey(
        "products.Product", models.CASCADE, related_name="+", db_index=False
    )
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    other = models.ForeignKey("products.Product", models.CASCADE, related_name="+")
    # Counted by a task.
    orders = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("bought together")
        verbose_name_plural = _("bought together")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "store", "other"], name="boughttogether_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} with {self.other_id}: {self.orders}"


class CategoryBest(models.Model):
    """One of the products that sell best in a category and store.

    A few for each category, so that a product page needn't look through all of them.
    """

    category = models.ForeignKey(
        "products.Category", models.CASCADE, related_name="+", db_index=False
    )
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    product = models.ForeignKey("products.Product", models.CASCADE, related_name="+")
    # Of the listing, when it was counted.
    popularity = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("best of a category")
        verbose_name_plural = _("best of categories")
        constraints = [
            models.UniqueConstraint(
                fields=["category", "store", "product"], name="categorybest_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.category_id}: {self.popularity}"


_OF_THE_LISTING: Any = {
    "on_delete": models.DO_NOTHING,
    "related_name": "+",
    "db_index": False,
    "db_constraint": False,
}


class ListingCategory(models.Model):
    """A listing stands in a category: its own, or one above that.

    It repeats what lists are ordered by, so that a category's list is read off an index as the
    whole store's is, however many products there are.
    """

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="places", db_index=False)
    category = models.ForeignKey(
        "products.Category", models.CASCADE, related_name="+", db_index=False
    )
    # The listing's own: a row goes with its listing.
    store = models.ForeignKey("stores.Store", **_OF_THE_LISTING)
    product = models.ForeignKey("products.Product", **_OF_THE_LISTING)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=300)
    price = AmountField(_("lowest price"))
    popularity = models.PositiveIntegerField(default=0)
    rating = models.PositiveSmallIntegerField(default=0)
    lot = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("listing in a category")
        verbose_name_plural = _("listings in categories")
        constraints = [
            models.UniqueConstraint(fields=["listing", "category"], name="listing_category_once")
        ]
        indexes = [
            models.Index(
                fields=["category", "store", "currency", *order, "product"],
                name=f"in_category_{''.join(order) or 'newest'}",
            )
            for order in (("price",), ("name",), ("popularity",), ("rating",), ("lot",), ())
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.category_id}"


class Term(models.Model):
    """A word of a store's vocabulary: what its listings say, and a search may ask for."""

    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    # The stem, as `engines.words` makes it, and a word that has it.
    text = models.CharField(max_length=40)
    word = models.CharField(max_length=40)
    # In how many listings it occurs, counted by a task.
    frequency = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")
        constraints = [models.UniqueConstraint(fields=["store", "text"], name="term_once")]

    def __str__(self) -> str:
        return self.word


class TermKey(models.Model):
    """Under what a term is found that was only begun, or misspelt: `engines.words.keys_of`."""

    term = models.ForeignKey(Term, models.CASCADE, related_name="keys", db_index=False)
    key = models.CharField(max_length=41)

    class Meta:
        verbose_name = _("search key")
        verbose_name_plural = _("search keys")
        constraints = [models.UniqueConstraint(fields=["key", "term"], name="termkey_once")]
        indexes = [models.Index(fields=["term"], name="termkey_term")]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """A term occurs in a listing; the score says in how good a place."""

    term = models.ForeignKey(Term, models.CASCADE, related_name="postings", db_index=False)
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="postings")
    score = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [models.UniqueConstraint(fields=["term", "listing"], name="posting_once")]
        # The best of a word, in their order.
        indexes = [models.Index(fields=["term", "score", "listing"], name="posting_best")]

    def __str__(self) -> str:
        return f"{self.term_id} in {self.listing_id}: {self.score}"


class SearchSynonym(PublicModel):
    """Words that mean the same in a store: who searches one finds them all."""

    scope_by = {"store": "store"}

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    words = models.CharField(
        _("words"),
        max_length=500,
        help_text=_("Two or more single words, separated by commas: sofa, couch, settee."),
    )

    class Meta:
        verbose_name = _("search synonym")
        verbose_name_plural = _("search synonyms")
        ordering = ["words"]

    def __str__(self) -> str:
        return self.words


class SearchRedirect(PublicModel):
    """Where a search leads instead of its results."""

    scope_by = {"store": "store"}

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    # As `engines.words.phrase` makes it.
    query = models.CharField(
        _("search"), max_length=200, help_text=_("The whole search; case and accents don't matter.")
    )
    target = models.CharField(
        _("target"), max_length=500, help_text=_("A path of the shop: /pages/returns/")
    )

    class Meta:
        verbose_name = _("search redirect")
        verbose_name_plural = _("search redirects")
        ordering = ["query"]
        constraints = [
            models.UniqueConstraint(fields=["store", "query"], name="searchredirect_once")
        ]

    def __str__(self) -> str:
        return f"{self.query} → {self.target}"


class SearchQuery(models.Model):
    """How often something was searched for on a day, in the time zone of the server.

    A sum without anybody: who searched isn't known.
    """

    scope_by = {"store": "store"}

    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    # As `engines.words.phrase` makes it.
    phrase = models.CharField(_("search"), max_length=100)
    searches = models.PositiveIntegerField(_("searches"), default=0)
    # Of these, such as found nothing, no filter being chosen.
    without_result = models.PositiveIntegerField(_("without result"), default=0)

    class Meta:
        verbose_name = _("search")
        verbose_name_plural = _("searches")
        constraints = [
            models.UniqueConstraint(fields=["store", "day", "phrase"], name="searchquery_once")
        ]
        indexes = [models.Index(fields=["day"], name="searchquery_day")]

    def __str__(self) -> str:
        return self.phrase
