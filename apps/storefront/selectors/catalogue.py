"""Categories and collections, as shoppers see them."""

from __future__ import annotations

from typing import Any

from apps.core.errors import NotFound
from apps.products.models import Category, Collection
from apps.products.selectors import CategoryNode, category_tree
from apps.storefront.selectors.pages import Page, page


def _label(node: CategoryNode) -> dict[str, Any]:
    return {"slug": node.slug, "name": node.name}


def tree(*, below: str = "") -> list[dict[str, Any]]:
    """The categories below a path (all by default), nested: slug, name, children."""
    roots: list[dict[str, Any]] = []
    nodes: dict[str, dict[str, Any]] = {}
    for node in category_tree().values():
        if node.path == below or not node.path.startswith(below):
            continue
        entry = {**_label(node), "children": []}
        nodes[node.path] = entry
        parent = nodes.get(node.path[: -Category.steplen])
        (roots if parent is None else parent["children"]).append(entry)
    return roots


def category_page(*, slug: str) -> dict[str, Any]:
    """A category with its description, its ancestors and what is below. Raises NotFound."""
    known = category_tree()
    node = known.get(slug)
    if node is None:
        raise NotFound()
    row = Category.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound()
    above = [n for n in known.values() if node.path.startswith(n.path) and n.path != node.path]
    return {
        **_label(node),
        "children": tree(below=node.path),
        "description": row.description,
        "seo": _seo(row),
        "ancestors": [_label(ancestor) for ancestor in above],
    }


def _seo(row: Category | Collection) -> dict[str, str]:
    return {"title": row.seo_title or row.name, "description": row.seo_description}


def collections(*, limit: int, cursor: str | None) -> Page:
    """A page of the active collections (slug, name). Raises InvalidCursor."""
    shown = Collection.objects.filter(is_active=True)
    return page(shown, fields=("slug", "name"), ordering="slug", limit=limit, cursor=cursor)


def collection_page(*, slug: str) -> dict[str, Any]:
    """A collection. Raises NotFound."""
    row = Collection.objects.filter(slug=slug, is_active=True).first()
    if row is None:
        raise NotFound()
    return {
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "seo": _seo(row),
    }
