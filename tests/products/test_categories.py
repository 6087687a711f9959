import pytest

from apps.core.models import OutboxMessage
from apps.products.models import Category, Collection, CollectionProduct
from apps.products.services.categories import (
    CategoryNotEmpty,
    InvalidMove,
    create_category,
    delete_category,
    move_category,
    update_category,
)
from apps.products.services.collections import InvalidRule, save_collection
from apps.products.services.labels import SlugTaken
from apps.products.services.product import update_product
from tests.factories.products import (
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ProductFactory,
    ProductTypeFactory,
    TagFactory,
)


def _tree():
    """The tree as lines indented by depth."""
    return ["·" * (c.depth - 1) + c.slug for c in Category.objects.order_by("path")]


def test_categories_form_a_tree(db):
    root = create_category(fields={"name": "Clothes"})
    shirts = create_category(fields={"name": "Shirts"}, parent=root)
    create_category(fields={"name": "Trousers"}, parent=root)
    create_category(fields={"name": "Polo"}, parent=shirts)
    create_category(fields={"name": "Shoes"})
    assert _tree() == ["clothes", "·shirts", "··polo", "·trousers", "shoes"]


def test_category_moves_with_all_below_it(db):
    root, other = CategoryFactory(slug="root"), CategoryFactory(slug="other")
    child = CategoryFactory(slug="child", parent=root)
    CategoryFactory(slug="leaf", parent=child)
    move_category(category=child, parent=other)
    assert _tree() == ["root", "other", "·child", "··leaf"]
    move_category(category=child, parent=None)
    assert _tree() == ["root", "other", "child", "·leaf"]


def test_category_cannot_move_below_itself(db):
    root = CategoryFactory(slug="root")
    leaf = CategoryFactory(slug="leaf", parent=CategoryFactory(slug="child", parent=root))
    for parent in (leaf, root):
        with pytest.raises(InvalidMove):
            move_category(category=root, parent=parent)
    assert _tree() == ["root", "·child", "··leaf"]


def test_category_with_subcategories_is_not_deleted(db):
    root = CategoryFactory(slug="root")
    child = CategoryFactory(slug="child", parent=root)
    product = ProductFactory(categories=[child])
    with pytest.raises(CategoryNotEmpty):
        delete_category(category=Category.objects.get(pk=root.pk))
    delete_category(category=child)
    delete_category(category=Category.objects.get(pk=root.pk))
    assert (Category.objects.count(), product.categories.count()) == (0, 0)


def test_category_change_names_every_product_below(db):
    root = CategoryFactory(slug="root")
    child = CategoryFactory(slug="child", parent=root)
    product = ProductFactory(categories=[child, root])
    ProductFactory()
    update_category(category=Category.objects.get(pk=root.pk), fields={"name": "New"})
    payloads = {row.event_id: row.payload for row in OutboxMessage.objects.all()}
    assert list(payloads.values()) == [{"product_ids": [str(product.public_id)]}]


def test_category_slug_is_taken_once(db):
    CategoryFactory(slug="root")
    with pytest.raises(SlugTaken):
        create_category(fields={"name": "x", "slug": "root"})
    assert create_category(fields={"name": "Root"}).slug == "root-2"


def _members(collection):
    return sorted(collection.products.values_list("slug", flat=True))


def _rule(*conditions):
    return {"all": [{"field": field, "value": value} for field, value in conditions]}


def test_collection_by_rule_finds_its_products(db):
    root = CategoryFactory(slug="clothes")
    shirts = CategoryFactory(slug="shirts", parent=root)
    tag, brand = TagFactory(slug="summer"), BrandFactory(slug="acme")
    kind = ProductTypeFactory(code="shirt")
    ProductFactory(slug="all", tags=[tag], brand=brand, categories=[shirts], product_type=kind)
    ProductFactory(slug="tag", tags=[tag])
    ProductFactory(slug="brand", brand=brand, categories=[root])
    for rule, expected in (
        (_rule(("tag", "summer")), ["all", "tag"]),
        (_rule(("brand", "acme")), ["all", "brand"]),
        (_rule(("category", "clothes")), ["all", "brand"]),
        (_rule(("category", "shirts")), ["all"]),
        (_rule(("product_type", "shirt")), ["all"]),
        (_rule(("tag", "summer"), ("brand", "acme")), ["all"]),
        (_rule(("tag", "nothing")), []),
        (_rule(("category", "nothing")), []),
    ):
        fields = {"name": "x", "kind": "rule", "rule": rule}
        collection = save_collection(collection=Collection(), fields=fields)
        assert _members(collection) == expected


def test_two_tags_of_a_rule_must_both_be_there(db):
    red, blue = TagFactory(slug="red"), TagFactory(slug="blue")
    ProductFactory(slug="red", tags=[red])
    ProductFactory(slug="both", tags=[red, blue])
    fields = {"name": "x", "kind": "rule", "rule": _rule(("tag", "red"), ("tag", "blue"))}
    assert _members(save_collection(collection=Collection(), fields=fields)) == ["both"]


def test_membership_follows_the_product(db, drain):
    fields = {"name": "x", "kind": "rule", "rule": _rule(("tag", "summer"))}
    collection = save_collection(collection=Collection(), fields=fields)
    product = ProductFactory(slug="one")
    update_product(product=product, fields={"tags": ["Summer"]})
    drain()
    assert _members(collection) == ["one"]
    drain()
    update_product(product=product, fields={"tags": []})
    drain()
    assert _members(collection) == []


def test_membership_follows_the_category_tree(db, drain):
    root, other = CategoryFactory(slug="root"), CategoryFactory(slug="other")
    child = CategoryFactory(slug="child", parent=root)
    ProductFactory(slug="one", categories=[child])
    fields = {"name": "x", "kind": "rule", "rule": _rule(("category", "root"))}
    collection = save_collection(collection=Collection(), fields=fields)
    assert _members(collection) == ["one"]
    move_category(category=child, parent=other)
    drain()
    assert _members(collection) == []


def test_refresh_keeps_the_rows_that_stay(db, drain):
    tag = TagFactory(slug="summer")
    stays = ProductFactory(slug="stays", tags=[tag])
    fields = {"name": "x", "kind": "rule", "rule": _rule(("tag", "summer"))}
    collection = save_collection(collection=Collection(), fields=fields)
    row = CollectionProduct.objects.get()
    update_product(product=stays, fields={"name": "Renamed"})
    drain()
    save_collection(collection=collection, fields={})
    assert CollectionProduct.objects.get() == row


def test_collection_by_hand_keeps_the_order(db):
    one, two, three = (ProductFactory(slug=slug) for slug in ("one", "two", "three"))
    collection = CollectionFactory()
    save_collection(collection=collection, fields={"products": [three, one, three]})
    rows = CollectionProduct.objects.filter(collection=collection)
    assert [row.product.slug for row in rows] == ["three", "one"]
    save_collection(collection=collection, fields={"products": [two]})
    assert _members(collection) == ["two"]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        [],
        {"all": []},
        {"any": [{"field": "tag", "value": "x"}]},
        {"all": [{"field": "tag"}]},
        {"all": [{"field": "status", "value": "active"}]},
        {"all": [{"field": "tag", "value": 1}]},
        {"all": [{"field": ["tag"], "value": "x"}]},
        {"all": [{"field": "tag", "value": "x", "more": 1}]},
        {"all": [{"field": "tag", "value": "x"}] * 11},
    ],
)
def test_rule_of_another_shape_is_refused(db, rule):
    with pytest.raises(InvalidRule):
        save_collection(collection=Collection(), fields={"name": "x", "kind": "rule", "rule": rule})
    assert Collection.objects.count() == 0
