"""The catalogue's pages in the back office."""

from apps.products.admin import labels, product, tree, variant

__all__ = ["labels", "product", "tree", "variant"]
