"""What is personal in a cart: all that a checkout asks for."""

from django.db.models import Q

from apps.checkout.models import Cart, CartLine
from apps.core.personal import Where, deleted, lasts

deleted(Cart, Where(customer="customer", email="email"))
deleted(CartLine, Where(customer="cart__customer", email="cart__email"))
# What was left behind goes after a week (`services.cleanup_carts`), what was ordered later.
lasts(Cart, days=90, since="updated_at", rows=Q(status=Cart.Status.ORDERED))
