"""What is personal in the shopper's read side: nothing; words that are searched have no person."""

from apps.core.personal import impersonal
from apps.storefront.models import (
    Listing,
    ListingCategory,
    SearchQuery,
    SearchRedirect,
    SearchSynonym,
    Term,
    TermKey,
)

impersonal(Listing, ListingCategory, SearchQuery, SearchRedirect, SearchSynonym, Term, TermKey)
