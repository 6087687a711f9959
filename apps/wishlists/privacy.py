"""What is personal in wishes: all of it."""

from apps.core.personal import Where, deleted
from apps.wishlists.models import Alert, RecentView, Wishlist, WishlistItem

deleted(Wishlist, Where(customer="customer"), hidden="token")
deleted(WishlistItem, Where(customer="wishlist__customer"))
deleted(RecentView, Where(customer="customer"))
deleted(Alert, Where(customer="customer", email="email"))
