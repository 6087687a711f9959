from datetime import UTC, datetime

import pytest

from apps.core.errors import Conflict
from apps.core.models import OutboxMessage
from apps.inventory.models import Location
from apps.inventory.services.stock import receive
from apps.orders.models import Order, OrderLine
from apps.products.models import Option, Product, Tag, Variant
from apps.products.services.labels import (
    SkuTaken,
    SlugTaken,
    delete_label,
    save_tag,
    tags_named,
    unique_slug,
)
from apps.products.services.options import OptionInUse, OptionsTaken, set_options
from apps.products.services.product import (
    InvalidPublication,
    add_tag,
    create_product,
    delete_product,
    set_status,
    update_product,
)
from apps.products.services.variants import (
    create_product_with_variants,
    create_variant,
    delete_variant,
    update_variant,
)
from tests.factories.products import BrandFactory, ProductFactory, TagFactory, VariantFactory


def _changed():
    """The products that were announced as changed, oldest first."""
    rows = OutboxMessage.objects.filter(
        name="product.changed", receiver="apps.storefront.receivers.relist_products"
    )
    return [row.payload["product_id"] for row in rows.order_by("pk")]


def test_new_product_is_a_safe_draft_published_in_its_store(store):
    fields = {"name": "Red Shirt", "description": "<p onclick=x()>Hi<script>x</script></p>"}
    product = Product.objects.get(pk=create_product(fields=fields, store=store).pk)
    assert (product.slug, product.status, product.description) == (
        "red-shirt",
        "draft",
        "<p>Hi</p>",
    )
    assert [p.store for p in product.publications.all()] == [store]
    assert _changed() == [str(product.public_id)]


def test_slugs_are_made_unique_and_taken_ones_refused(store):
    first = create_product(fields={"name": "Shirt"}, store=store)
    second = create_product(fields={"name": "Shirt!"}, store=store)
    third = create_product(fields={"name": "衬衫"}, store=store)
    assert (first.slug, second.slug, third.slug) == ("shirt", "shirt-2", "product")
    with pytest.raises(SlugTaken):
        create_product(fields={"name": "x", "slug": "shirt"}, store=store)
    with pytest.raises(SlugTaken):
        update_product(product=second, fields={"slug": "shirt"})
    assert Product.objects.count() == 3


def test_long_name_has_a_slug_that_fits(db):
    ProductFactory(slug="x" * 192)
    slug = unique_slug(model=Product, text="x" * 300, fallback="product")
    assert slug == f"{'x' * 192}-2"


def test_update_changes_what_is_named_only(store):
    product = create_product(
        fields={"name": "Shirt", "tags": ["Red", "red", " "], "description": "<b>x</b>"},
        store=store,
    )
    update_product(product=product, fields={"name": "Blouse"})
    product.refresh_from_db()
    assert (product.name, product.slug, product.description) == ("Blouse", "shirt", "<b>x</b>")
    assert [tag.name for tag in product.tags.all()] == ["Red"]
    assert product.publications.count() == 1


def test_update_of_an_older_version_is_refused(store):
    product = create_product(fields={"name": "Shirt"}, store=store)
    mine, theirs = Product.objects.get(pk=product.pk), Product.objects.get(pk=product.pk)
    update_product(product=theirs, fields={"name": "Theirs"}, if_unchanged=True)
    with pytest.raises(Conflict):
        update_product(product=mine, fields={"name": "Mine"}, if_unchanged=True)
    assert Product.objects.get().name == "Theirs"


def test_publications_are_replaced_and_checked(store):
    product = create_product(fields={"name": "Shirt", "publications": []}, store=store)
    assert product.publications.count() == 0
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    window = {"store": store, "starts_at": early, "ends_at": late, "groups": None}
    update_product(product=product, fields={"publications": [window]})
    assert product.publications.get().ends_at == late
    for bad in (
        [{**window, "starts_at": late, "ends_at": early}],
        [{**window, "ends_at": early}],
        [window, window],
    ):
        with pytest.raises(InvalidPublication):
            update_product(product=product, fields={"publications": bad})
    assert product.publications.get().starts_at == early


def test_options_are_rows_in_order(store):
    product = create_product(
        fields={
            "name": "Shirt",
            "options": [
                {"name": "Size", "values": ["S", "M"]},
                {"name": "Colour", "values": ["Red"]},
            ],
        },
        store=store,
    )
    set_options(
        product=product,
        options=[
            {"name": "Colour", "values": ["Blue", "Red"]},
            {"name": "Size", "values": ["M", "S", "L"]},
        ],
    )

    def options():
        return [(o.name, [v.value for v in o.values.all()]) for o in product.options.all()]

    assert options() == [("Colour", ["Blue", "Red"]), ("Size", ["M", "S", "L"])]
    variant = create_variant(product=product, fields={"sku": "A", "options": {"Size": "M"}})
    with pytest.raises(OptionInUse):
        set_options(product=product, options=[{"name": "Size", "values": ["S"]}])
    set_options(product=product, options=[{"name": "Size", "values": ["M"]}])
    assert options() == [("Size", ["M"])]
    assert [value.value for value in variant.option_values.all()] == ["M"]


def test_variants_make_the_options_they_need(store):
    product = create_product_with_variants(
        fields={"name": "Shirt"},
        variants=[
            {"sku": "S-RED", "options": {"Size": "S", "Colour": "Red"}},
            {"sku": "M-RED", "options": {"Size": "M", "Colour": "Red"}},
        ],
        store=store,
    )
    assert [(o.name, o.values.count()) for o in product.options.all()] == [
        ("Size", 2),
        ("Colour", 1),
    ]
    assert [(v.sku, v.position) for v in product.variants.all()] == [("S-RED", 0), ("M-RED", 1)]


def test_two_variants_with_the_same_options_are_refused(store):
    with pytest.raises(OptionsTaken):
        create_product_with_variants(
            fields={"name": "Shirt"},
            variants=[
                {"sku": "A", "options": {"Size": "S", "Colour": "Red"}},
                {"sku": "B", "options": {"Colour": "Red", "Size": "S"}},
            ],
            store=store,
        )
    assert (Product.objects.count(), Option.objects.count()) == (0, 0)


def test_sku_is_taken_once(store):
    variant = VariantFactory(sku="A")
    other = VariantFactory(sku="B")
    with pytest.raises(SkuTaken):
        create_variant(product=variant.product, fields={"sku": "A"})
    with pytest.raises(SkuTaken):
        update_variant(variant=other, fields={"sku": "A"})
    assert sorted(Variant.objects.values_list("sku", flat=True)) == ["A", "B"]


def test_variant_change_gives_the_product_a_new_version(db):
    variant = VariantFactory()
    product = variant.product
    before = product.updated_at
    update_variant(variant=variant, fields={"weight": 7})
    product.refresh_from_db()
    assert product.updated_at > before
    assert _changed() == [str(product.public_id)]


def test_product_that_nothing_holds_is_deleted(db):
    product = ProductFactory()
    assert delete_product(product=product) is True
    assert (Product.objects.count(), Variant.objects.count()) == (0, 0)


def test_product_whose_stock_moved_is_archived(db):
    product = ProductFactory()
    location = Location.objects.create(code="main", name="Main")
    receive(variant=product.variants.get(), location=location, quantity=1)
    assert delete_product(product=product) is False
    product.refresh_from_db()
    assert product.status == "archived"
    assert product.variants.count() == 1


def test_product_that_was_ordered_is_archived(store):
    product = ProductFactory()
    order = Order.objects.create(
        number="W-1", store=store, email="a@example.com", currency="EUR", subtotal=0, total=0
    )
    line = OrderLine.objects.create(
        order=order,
        variant=product.variants.get(),
        sku="x",
        name="x",
        quantity=1,
        unit_price=0,
        subtotal=0,
        total=0,
    )
    assert delete_product(product=product) is False
    product.refresh_from_db()
    line.refresh_from_db()
    assert (product.status, line.variant) == ("archived", product.variants.get())


def test_variant_whose_stock_moved_is_taken_off_sale(db):
    variant, free = VariantFactory(), VariantFactory()
    location = Location.objects.create(code="main", name="Main")
    receive(variant=variant, location=location, quantity=1)
    assert delete_variant(variant=variant) is False
    variant.refresh_from_db()
    assert variant.is_active is False
    assert delete_variant(variant=free) is True


def test_bulk_actions_announce_what_changed(db):
    one, two = ProductFactory(status="draft"), ProductFactory(status="active")
    assert set_status(products=[one, two], status="active") == 1
    assert _changed() == [str(one.public_id)]
    tag = add_tag(products=[one, two], name="Summer")
    assert {product.pk for product in tag.products.all()} == {one.pk, two.pk}


def test_tags_of_equal_slugs_are_one(db):
    TagFactory(name="Verano", slug="verano")
    names = [tag.name for tag in tags_named(names=["verano", "VERANO ", "夏", "夏", ""])]
    assert names == ["Verano", "夏"]
    assert Tag.objects.count() == 2


def test_tag_rename_and_removal_name_their_products(db):
    tag = TagFactory()
    product = ProductFactory(tags=[tag])
    ProductFactory(brand=BrandFactory())
    tag.name = "Renamed"
    save_tag(tag=tag)
    delete_label(label=tag)
    rows = OutboxMessage.objects.filter(
        name="products.relabelled", receiver="apps.storefront.receivers.relist_products"
    )
    assert [row.payload for row in rows] == [{"product_ids": [str(product.public_id)]}] * 2
