"""One product from somebody else's data."""

from __future__ import annotations

import pytest

from apps.core.models import OutboxMessage
from apps.products.models import (
    Attribute,
    Category,
    Product,
    ProductType,
    Publication,
    Tag,
    Variant,
)
from apps.products.services.product_data import Contents, Quantities
from apps.products.services.upsert import (
    ImageData,
    Labels,
    ProductData,
    ProductRefused,
    StoreWindow,
    VariantData,
    upsert_product,
)
from tests.factories.customers import CustomerGroupFactory
from tests.factories.products import BrandFactory, ProductFactory, TagFactory
from tests.factories.stores import StoreFactory
from tests.integrations.conftest import dump


def tee(**changes: object) -> ProductData:
    data = ProductData(
        slug="tee",
        name="Tee",
        description="<p>Cotton</p>",
        brand="Acme",
        product_type="Shirts",
        tags=["new", "Red"],
        categories=[("Clothing", "Shirts"), ("Gifts",)],
        variants=[
            VariantData(sku="T-S", options={"Size": "S"}, weight=100),
            VariantData(sku="T-M", options={"Size": "M"}, weight=120, image="https://e.com/m.png"),
        ],
        images=[ImageData("https://e.com/1.png", "front")],
        external_ids={"erp": "77"},
    )
    for name, value in changes.items():
        setattr(data, name, value)
    return data


def test_new_product_is_made_with_all_that_hangs_on_it(store):
    result = upsert_product(data=tee(), store=store)
    product = Product.objects.get()
    assert result.created
    assert (result.variants_created, result.images_added, result.changed) == (2, 2, [])
    assert [str(v) for v in result.variants] == ["T-S", "T-M"]
    assert (product.status, product.brand.slug, product.product_type.code) == (
        *("active", "acme", "shirts"),
    )
    assert sorted(tag.slug for tag in product.tags.all()) == ["new", "red"]
    assert Category.objects.get(name="Shirts").depth == 2
    assert product.publications.get().store == store
    assert [i.source_url[-5:] for i in product.images.all()] == ["1.png", "m.png"]
    assert product.variants.get(sku="T-M").image.source_url == "https://e.com/m.png"


def test_same_data_again_change_nothing(store):
    upsert_product(data=tee(), store=store)
    OutboxMessage.objects.all().delete()
    before = dump()
    result = upsert_product(data=tee(), store=store)
    assert (result.created, result.changed, result.variants_unchanged) == (False, [], 2)
    assert dump() == before


def test_product_is_found_by_its_external_id(store):
    upsert_product(data=tee(), store=store)
    result = upsert_product(data=tee(slug="another-slug", name="New"), store=store)
    assert (result.created, result.changed) == (False, ["name"])
    assert Product.objects.get().slug == "tee"


def test_differences_are_named_and_written(store):
    upsert_product(data=tee(), store=store)
    variants = [
        VariantData(sku="T-S", options={"Size": "S"}, weight=101),
        VariantData(sku="T-L", options={"Size": "L"}),
    ]
    data = tee(brand="", tags=["new"], categories=[("Gifts",)], variants=variants, published=False)
    result = upsert_product(data=data, store=store)
    assert result.changed == ["brand", "tags", "categories", "published", "variants"]
    assert (result.variants_created, result.variants_updated) == (1, 1)
    product = Product.objects.get()
    assert (product.brand, product.variants.count()) == (None, 3)
    assert not product.publications.exists()


def test_dry_run_tells_the_same_and_writes_nothing(store):
    upsert_product(data=tee(), store=store)
    data = tee(name="New", brand="Other", tags=["x"], categories=[("Y", "Z")])
    before = dump()
    told = upsert_product(data=data, store=store, dry_run=True)
    assert dump() == before
    assert told.changed == upsert_product(data=data, store=store).changed


def test_without_update_what_exists_is_left_alone(store):
    upsert_product(data=tee(), store=store)
    result = upsert_product(data=tee(name="New"), store=store, update=False)
    assert (result.left_alone, result.changed) == (True, [])
    assert Product.objects.get().name == "Tee"


def test_labels_are_known_by_name_and_by_slug(store):
    brand = BrandFactory(name="ACME", slug="acme")
    tag = TagFactory(name="New", slug="fresh")
    upsert_product(data=tee(tags=["New", "RED", "red"]), store=store)
    product = Product.objects.get()
    assert product.brand == brand
    assert set(product.tags.all()) == {tag, Tag.objects.get(name="RED")}


def test_categories_of_one_name_stand_in_different_places(store):
    upsert_product(data=tee(categories=[("A", "New"), ("B", "New"), ("A", "New")]), store=store)
    assert sorted(c.slug for c in Product.objects.get().categories.all()) == ["new", "new-2"]
    before = Category.objects.count()
    upsert_product(
        data=tee(slug="t2", external_ids={}, variants=[VariantData(sku="X")]), store=store
    )
    upsert_product(data=tee(categories=[("B", "New")]), store=store)
    assert Category.objects.count() == before + 3


def test_sku_of_another_product_refuses_the_variant(store):
    ProductFactory(variants=1, variants__sku="T-S")
    result = upsert_product(data=tee(), store=store)
    assert result.variants[0] is None
    assert result.variant_problems[0].field == "sku"
    assert [v.sku for v in Product.objects.get(slug="tee").variants.all()] == ["T-M"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 301}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"slug": "no slug"}, "slug"),
        ({"status": "gone"}, "status"),
        ({"brand": "x" * 201}, "brand"),
        ({"tags": ["x" * 101]}, "tags"),
        ({"tags": [" "]}, "tags"),
        ({"categories": [("A", "")]}, "categories"),
        ({"categories": [tuple("abcdefghijklmnopqrstuvwxyz")]}, "categories"),
        ({"description": "x" * 500_001}, "description"),
        ({"variants": []}, "sku"),
        ({"external_ids": {"erp": "x" * 151}}, "external_id"),
        ({"publications": [StoreWindow("nowhere")]}, "publications"),
        ({"publications": [StoreWindow("main", groups=["nobody"])]}, "publications"),
        ({"images": [ImageData("https://e.com/x")] * 251}, "images"),
    ],
)
def test_product_that_cannot_be_stored_is_refused(changes, field, store):
    with pytest.raises(ProductRefused) as refused:
        upsert_product(data=tee(**changes), store=store)
    assert refused.value.field == field
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        (VariantData(sku="x" * 101), "sku"),
        (VariantData(sku="X", weight=-1), "weight"),
        (VariantData(sku="X", length=2**31), "length"),
        (VariantData(sku="X", options={"Size": ""}), "options"),
        (VariantData(sku="X", options={"x" * 101: "S"}), "options"),
        (VariantData(sku="X", origin_country="Spain"), "origin_country"),
        (VariantData(sku="X", gtin="9" * 51), "gtin"),
        (VariantData(sku="X", contents=Contents(5, "oz")), "contents"),
        (VariantData(sku="X", contents=Contents(None, "g")), "contents"),
        (VariantData(sku="X", contents=Contents(2**31, "g")), "contents"),
        (VariantData(sku="X", contents=Contents(5, "g", "l")), "contents"),
        (VariantData(sku="X", quantities=Quantities(0)), "quantities"),
        (VariantData(sku="X", quantities=Quantities(3, 2)), "quantities"),
        (VariantData(sku="X", quantities=Quantities(1, None, 0)), "quantities"),
        (VariantData(sku="X", image="ftp://e.com/1.png"), "image"),
    ],
)
def test_variant_that_cannot_be_stored_is_refused(variant, field, store):
    data = tee(variants=[variant, VariantData(sku="GOOD")])
    result = upsert_product(data=data, store=store)
    assert result.variant_problems[0].field == field
    assert [v.sku for v in Variant.objects.all()] == ["GOOD"]


def test_contents_and_quantities_are_told_as_a_whole_or_stay(store):
    def terms(**told):
        upsert_product(data=tee(variants=[VariantData(sku="OIL", **told)]), store=store)
        v = Variant.objects.get(sku="OIL")
        return [v.unit_quantity, v.unit, v.unit_reference], [
            *(v.min_quantity, v.max_quantity, v.quantity_step)
        ]

    assert terms() == ([None, "", ""], [1, None, 1])
    told = {"contents": Contents(750, "ml", "l"), "quantities": Quantities(6, 60, 6)}
    assert terms(**told) == ([750, "ml", "l"], [6, 60, 6])
    assert terms() == ([750, "ml", "l"], [6, 60, 6])
    assert terms(contents=Contents(), quantities=Quantities()) == ([None, "", ""], [1, None, 1])


def test_publications_are_exactly_those_named(store):
    other = StoreFactory(code="other")
    upsert_product(data=tee(), store=store)
    data = tee(publications=[StoreWindow("other")])
    assert upsert_product(data=data, store=store).changed == ["published"]
    assert Product.objects.get().publications.get().store == other


def test_publications_are_for_the_groups_named(store):
    for code in ("trade", "press"):
        CustomerGroupFactory(code=code)

    def only(*groups):
        data = tee(publications=[StoreWindow("main", groups=list(groups))])
        return upsert_product(data=data, store=store).changed

    def seen():
        [row] = Publication.objects.all()
        return row.members_only, sorted(group.code for group in row.groups.all())

    only("trade", "press")
    assert (only("press", "trade"), seen()) == ([], (True, ["press", "trade"]))
    assert (only("press"), seen()) == (["published"], (True, ["press"]))
    assert (only(), seen()) == (["published"], (True, []))
    everybody = tee(publications=[StoreWindow("main")])
    assert upsert_product(data=everybody, store=store).changed == ["published"]
    assert seen() == (False, [])


def test_attributes_are_defined_for_the_type_and_checked_against_it(store):
    data = tee(attributes={"material": "cotton", "washable": True, "grams": 140})
    upsert_product(data=data, store=store)
    shirts = ProductType.objects.get(code="shirts")
    assert {a.code: a.kind for a in shirts.attributes.all()} == {
        "material": "text",
        "washable": "boolean",
        "grams": "number",
    }
    Attribute.objects.filter(code="grams").update(is_filterable=True)
    upsert_product(data=tee(attributes={"grams": 150}), store=store)
    assert Product.objects.get().attribute_index.get().number == 150
    with pytest.raises(ProductRefused) as refused:
        upsert_product(data=tee(attributes={"grams": "heavy"}), store=store)
    assert refused.value.field == "attributes"


def test_option_that_was_renamed_leaves_nothing_behind(store):
    upsert_product(data=tee(), store=store)
    renamed = [
        VariantData(sku="T-S", options={"Talla": "S"}),
        VariantData(sku="T-M", options={"Talla": "M"}),
    ]
    upsert_product(data=tee(variants=renamed), store=store)
    assert [option.name for option in Product.objects.get().options.all()] == ["Talla"]


def test_label_that_somebody_makes_at_the_same_moment_is_taken(store):
    labels = Labels()
    labels.load(Tag, ["new"])
    theirs = TagFactory(name="New!", slug="new")
    assert labels.get(Tag, "new") == theirs
