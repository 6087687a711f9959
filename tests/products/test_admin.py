from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core.models import AuditEntry, OutboxMessage
from apps.inventory.models import Location
from apps.inventory.services.stock import receive
from apps.products.models import (
    Attribute,
    AttributeIndex,
    Brand,
    Category,
    Collection,
    Product,
    ProductImage,
    Variant,
)
from apps.products.services.options import choose_options
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ProductFactory,
    ProductImageFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)
from tests.products.pictures import SVG, picture


@pytest.fixture
def office(client: Any, merchant: Any) -> Any:
    """A browser in which the merchant is signed in."""
    client.force_login(merchant)
    return client


def _url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:products_{model}_{page}", args=args)


def _values(response: Any) -> dict[str, Any]:
    """What a browser would send back from a page whose form nobody touched."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        formset = inline.formset
        forms += [formset.management_form, *formset.forms]
    sent = [pair for form in forms for bound in form for pair in _sent(bound)]
    return {name: value for name, value in sent if value is not None and value != []}


def _sent(bound: Any) -> list[tuple[str, Any]]:
    value, widget = bound.value(), bound.field.widget
    if hasattr(widget, "decompress") and not isinstance(value, list):
        parts = widget.decompress(value)
        return [(f"{bound.html_name}_{i}", part or "") for i, part in enumerate(parts)]
    is_file = getattr(widget, "input_type", "") == "file"
    sent = [] if is_file or value is False else [(bound.html_name, value)]
    if bound.field.show_hidden_initial:
        sent.append((bound.html_initial_name, value))
    return sent


def _save(office: Any, url: str, **changes: Any) -> Any:
    """Open a page, change fields by name, send it."""
    data = _values(office.get(url)) | changes
    return office.post(url, {name: v for name, v in data.items() if v is not None})


def _errors(response: Any) -> Any:
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    return (
        response.context["adminform"].form.errors.as_data(),
        [f.errors for f in formsets],
        [f.non_form_errors() for f in formsets],
    )


def _full_product(n: int = 1) -> Product:
    product = ProductFactory(
        slug="full", brand=BrandFactory(), categories=[CategoryFactory()], variants=0
    )
    for number in range(n):
        variant = VariantFactory(product=product)
        choose_options(variant=variant, options={"Size": str(number), "Colour": "Red"})
        ProductImageFactory(product=product)
    return product


MODELS = "product variant category collection brand tag producttype attribute".split()


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(office, db, model):
    made = {
        "product": ProductFactory,
        "variant": VariantFactory,
        "category": CategoryFactory,
        "collection": CollectionFactory,
        "brand": BrandFactory,
        "tag": TagFactory,
        "producttype": ProductTypeFactory,
        "attribute": AttributeFactory,
    }[model]()
    assert office.get(_url(model, "changelist"), {"q": "x"}).status_code == 200
    assert office.get(_url(model, "change", made.pk)).status_code == 200
    assert office.get(_url(model, "delete", made.pk)).status_code == 200
    if model != "variant":
        assert office.get(_url(model, "add")).status_code == 200


@pytest.mark.parametrize("n", [10, 100])
def test_product_list_takes_few_statements(office, db, n, django_assert_max_num_queries):
    for _ in range(n):
        ProductImageFactory(product=ProductFactory(brand=BrandFactory()))
    with django_assert_max_num_queries(10):
        response = office.get(_url("product", "changelist"))
    assert response.context["cl"].result_count == n


@pytest.mark.parametrize("n", [5, 30])
def test_product_page_takes_constant_statements(office, db, n, django_assert_max_num_queries):
    product = _full_product(n)
    with django_assert_max_num_queries(22):
        assert office.get(_url("product", "change", product.pk)).status_code == 200


@pytest.mark.parametrize("model", ["variant", "category", "collection"])
@pytest.mark.parametrize("n", [5, 40])
def test_other_lists_take_few_statements(office, db, model, n, django_assert_max_num_queries):
    product = _full_product(n)
    for _ in range(n):
        CategoryFactory()
        CollectionFactory()
    assert product.variants.count() == n
    with django_assert_max_num_queries(10):
        assert office.get(_url(model, "changelist")).status_code == 200


def test_product_is_added_with_variants_and_options(office, store):
    kind = ProductTypeFactory(code="shirt")
    response = _save(
        office,
        _url("product", "add"),
        **{
            "name": "Red Shirt",
            "description": "<p>Hi<script>x</script></p>",
            "status": "active",
            "product_type": kind.pk,
            "tags": [TagFactory().pk],
            "variants-TOTAL_FORMS": 2,
            "variants-0-sku": "A",
            "variants-0-weight": 100,
            "variants-0-position": 0,
            "variants-0-is_active": "on",
            "variants-1-sku": "B",
            "variants-1-weight": 0,
            "variants-1-position": 1,
            "options-TOTAL_FORMS": 1,
            "options-0-name": "Size",
            "options-0-values": "S, M,S ,L",
            "options-0-position": 0,
            "publications-TOTAL_FORMS": 1,
            "publications-0-store": store.pk,
        },
    )
    assert response.status_code == 302, _errors(response)
    product = Product.objects.get()
    assert (product.slug, product.description) == ("red-shirt", "<p>Hi</p>")
    assert [(v.sku, v.is_active) for v in product.variants.all()] == [("A", True), ("B", False)]
    assert [v.value for v in product.options.get().values.all()] == ["S", "M", "L"]
    assert product.publications.get().store == store
    announced = OutboxMessage.objects.filter(receiver="apps.storefront.receivers.relist_products")
    assert [row.payload for row in announced] == [{"product_id": str(product.public_id)}]
    assert AuditEntry.objects.filter(action="add", object_label="Red Shirt").count() == 1


def test_untouched_page_saves_without_a_change(office, store):
    product = _full_product(3)
    before = list(Variant.objects.order_by("pk").values())
    response = _save(office, _url("product", "change", product.pk))
    assert response.status_code == 302, _errors(response)
    after = Variant.objects.order_by("pk")
    assert [v.sku for v in after] == [row["sku"] for row in before]
    assert [sorted(o.value for o in v.option_values.all()) for v in after] == [
        ["0", "Red"],
        ["1", "Red"],
        ["2", "Red"],
    ]
    assert [entry.changes for entry in AuditEntry.objects.filter(action="change")] == []


def test_attributes_have_typed_fields(office, store):
    kind = ProductTypeFactory()
    kind.attributes.add(
        AttributeFactory(code="fabric", name="Fabric"),
        AttributeFactory(code="width", kind="number"),
        AttributeFactory(code="vegan", kind="boolean"),
        AttributeFactory(code="season", kind="choice", choices=["summer", "winter"]),
        AttributeFactory(code="sports", kind="choices", choices=["run", "walk"]),
        AttributeFactory(code="launched", kind="date"),
    )
    product = ProductFactory(product_type=kind, attributes={"fabric": "silk"})
    url = _url("product", "change", product.pk)
    form = office.get(url).context["adminform"].form
    assert form["attribute_fabric"].value() == "silk"
    response = _save(
        office,
        url,
        attribute_fabric="wool",
        attribute_width="12.5",
        attribute_vegan="False",
        attribute_season="winter",
        attribute_sports=["walk", "run"],
        attribute_launched="2026-02-28",
    )
    assert response.status_code == 302, _errors(response)
    product.refresh_from_db()
    assert product.attributes == {
        "fabric": "wool",
        "width": 12.5,
        "vegan": False,
        "season": "winter",
        "sports": ["walk", "run"],
        "launched": "2026-02-28",
    }
    assert AttributeIndex.objects.filter(product=product).count() == 7
    bad = _save(office, url, attribute_season="spring", attribute_width="x")
    assert set(bad.context["adminform"].form.errors) == {"attribute_season", "attribute_width"}
    assert _save(office, url, product_type=ProductTypeFactory().pk).status_code == 302
    product.refresh_from_db()
    assert product.attributes == {}


def test_variants_with_the_same_options_are_refused(office, store):
    product = _full_product(2)
    chosen = list(product.variants.first().option_values.values_list("pk", flat=True))
    changes = {"variants-1-option_values": chosen}
    response = _save(office, _url("product", "change", product.pk), **changes)
    assert response.status_code == 200
    formset = response.context["inline_admin_formsets"][0].formset
    assert "option_values" in formset.errors[1]


def test_variant_options_of_another_product_are_refused(office, store):
    product, other = _full_product(1), ProductFactory(variants=1)
    foreign = VariantFactory(product=other)
    choose_options(variant=foreign, options={"Size": "XXL"})
    changes = {"variants-0-option_values": [foreign.option_values.get().pk]}
    response = _save(office, _url("product", "change", product.pk), **changes)
    assert response.status_code == 200
    assert "option_values" in response.context["inline_admin_formsets"][0].formset.errors[0]


def test_option_value_in_use_stays(office, store):
    product = _full_product(2)
    url = _url("product", "change", product.pk)
    refused = _save(office, url, **{"options-0-values": "1, 5"})
    assert refused.status_code == 200
    assert _save(office, url, **{"options-0-values": "1, 0, 5"}).status_code == 302
    size = product.options.get(name="Size")
    assert [value.value for value in size.values.all()] == ["1", "0", "5"]


def test_images_are_added_changed_and_removed(office, store):
    product = ProductFactory()
    old = ProductImageFactory(product=product, alt="Old")
    gone = ProductImageFactory(product=product)
    response = _save(
        office,
        _url("product", "change", product.pk),
        **{
            "images-TOTAL_FORMS": 4,
            "images-0-alt": "New text",
            "images-1-DELETE": "on",
            "images-2-upload": SimpleUploadedFile("x.png", picture("PNG", (100, 50))),
            "images-2-alt": "Uploaded",
            "images-2-position": 0,
            "images-3-source_url": "https://example.com/x.jpg",
            "images-3-position": 0,
        },
    )
    assert response.status_code == 302, _errors(response)
    old.refresh_from_db()
    rows = ProductImage.objects.order_by("pk").values_list("alt", "status", "source_url")
    assert list(rows) == [
        ("New text", "ready", ""),
        ("Uploaded", "ready", ""),
        ("", "pending", "https://example.com/x.jpg"),
    ]
    assert not ProductImage.objects.filter(pk=gone.pk).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"images-0-upload": SimpleUploadedFile("x.jpg", SVG)}, "upload"),
        ({"images-0-source_url": "javascript:alert(1)"}, "source_url"),
        ({"images-0-alt": "neither"}, "__all__"),
    ],
)
def test_bad_image_is_refused_beside_its_field(office, store, changes, field):
    product = ProductFactory()
    changes = {"images-TOTAL_FORMS": 1, "images-0-position": 0, **changes}
    response = _save(office, _url("product", "change", product.pk), **changes)
    assert response.status_code == 200
    formset = response.context["inline_admin_formsets"][2].formset
    assert list(formset.errors[0]) == [field]
    assert ProductImage.objects.count() == 0


def test_related_products_are_chosen_on_the_page(office, store):
    product, other = ProductFactory(stores=[store]), ProductFactory()
    url, row = _url("product", "change", product.pk), {"relations-TOTAL_FORMS": 1}
    for chosen, status in ((product, 200), (other, 302)):
        fields = {**row, "relations-0-related": chosen.pk, "relations-0-position": 3}
        assert _save(office, url, **fields).status_code == status
    assert [relation.related for relation in product.relations.all()] == [other]


def _act(office: Any, action: str, products: list[Product], **more: Any) -> Any:
    data = {"action": action, "_selected_action": [p.pk for p in products], "index": 0, **more}
    return office.post(_url("product", "changelist"), data, follow=True)


def test_bulk_actions(office, store):
    products = [ProductFactory(status="draft"), ProductFactory(status="archived")]
    assert "2 products changed." in _act(office, "activate", products).content.decode()
    assert set(Product.objects.values_list("status", flat=True)) == {"active"}
    _act(office, "archive", products[:1])
    assert Product.objects.filter(status="archived").get() == products[0]
    _act(office, "add_tag", products, tag="Summer")
    assert [product.tags.get().name for product in products] == ["Summer"] * 2
    assert "Type the tag" in _act(office, "add_tag", products).content.decode()


def test_staff_who_may_only_look_have_no_bulk_actions(client, readonly_staff, store):
    client.force_login(readonly_staff)
    product = ProductFactory(status="draft")
    assert client.get(_url("product", "changelist")).status_code == 200
    assert client.get(_url("product", "change", product.pk)).status_code == 200
    _act(client, "activate", [product])
    product.refresh_from_db()
    assert product.status == "draft"


def test_deleting_a_product_that_is_held_archives_it(office, store):
    free, held = ProductFactory(), ProductFactory()
    location = Location.objects.create(code="main", name="Main")
    receive(variant=held.variants.get(), location=location, quantity=1)
    office.post(_url("product", "delete", free.pk), {"post": "yes"})
    response = office.post(_url("product", "delete", held.pk), {"post": "yes"}, follow=True)
    assert "was archived" in response.content.decode()
    assert Product.objects.get() == held
    assert Product.objects.get().status == "archived"


def test_variant_page_saves_and_announces(office, store):
    product = _full_product(2)
    variant = product.variants.first()
    response = _save(office, _url("variant", "change", variant.pk), weight=777)
    assert response.status_code == 302, _errors(response)
    variant.refresh_from_db()
    assert (variant.weight, variant.option_values.count()) == (777, 2)
    assert OutboxMessage.objects.filter(payload={"product_id": str(product.public_id)}).exists()


def test_category_is_added_moved_and_deleted(office, store):
    root = CategoryFactory(slug="root", name="Root")
    other = CategoryFactory(slug="other", name="Other")
    added = _save(office, _url("category", "add"), name="Leaf <b>", parent=root.pk)
    assert added.status_code == 302, _errors(added)
    leaf = Category.objects.get(slug="leaf-b")
    assert leaf.path.startswith(root.path)
    url = _url("category", "change", leaf.pk)
    assert office.get(url).context["adminform"].form.initial["parent"] == root
    assert _save(office, url, parent=other.pk, name="Moved").status_code == 302
    leaf.refresh_from_db()
    assert (leaf.name, leaf.path.startswith(other.path)) == ("Moved", True)
    cyclic = _save(office, _url("category", "change", other.pk), parent=leaf.pk)
    assert list(cyclic.context["adminform"].form.errors) == ["parent"]
    assert office.post(_url("category", "delete", other.pk), {"post": "yes"}).status_code == 403
    office.post(_url("category", "delete", leaf.pk), {"post": "yes"})
    assert not Category.objects.filter(pk=leaf.pk).exists()
    page = office.get(_url("category", "changelist")).content.decode()
    assert "<b>" not in page.split("<table")[1].split("Root")[0]


def test_collection_by_rule_is_filled_when_it_is_saved(office, store):
    product = ProductFactory(tags=[TagFactory(slug="summer")])
    rule = '{"all": [{"field": "tag", "value": "summer"}]}'
    url = _url("collection", "add")
    assert _save(office, url, name="Summer", kind="rule", rule=rule).status_code == 302
    assert list(Collection.objects.get(slug="summer").products.all()) == [product]
    bad = _save(office, url, name="Bad", kind="rule", rule='{"x": 1}')
    assert list(bad.context["adminform"].form.errors) == ["rule"]


def test_collection_by_hand_takes_products(office, store):
    product, collection = ProductFactory(), CollectionFactory()
    name = "collectionproduct_set"
    response = _save(
        office,
        _url("collection", "change", collection.pk),
        **{
            f"{name}-TOTAL_FORMS": 1,
            f"{name}-0-product": product.pk,
            f"{name}-0-position": 0,
        },
    )
    assert response.status_code == 302, _errors(response)
    assert list(collection.products.all()) == [product]


def test_brand_rename_names_its_products(office, store):
    brand = BrandFactory()
    product = ProductFactory(brand=brand)
    assert _save(office, _url("brand", "change", brand.pk), name="New").status_code == 302
    rows = OutboxMessage.objects.filter(name="products.relabelled").values_list(
        "payload", flat=True
    )
    assert {str(row) for row in rows} == {str({"product_ids": [str(product.public_id)]})}
    assert Brand.objects.get().name == "New"


def test_attribute_form_reads_choices_by_line(office, store):
    response = _save(
        office,
        _url("attribute", "add"),
        name="Season",
        code="season",
        kind="choice",
        choices="summer\r\n winter \r\n\r\nsummer",
    )
    assert response.status_code == 302, _errors(response)
    attribute = Attribute.objects.get()
    assert attribute.choices == ["summer", "winter"]
    page = office.get(_url("attribute", "change", attribute.pk))
    assert page.context["adminform"].form.initial["choices"] == "summer\nwinter"
    ProductFactory(attributes={"season": "summer"})
    url = _url("attribute", "change", attribute.pk)
    assert list(_save(office, url, kind="text").context["adminform"].form.errors) == ["kind"]
    assert (
        office.post(_url("attribute", "delete", attribute.pk), {"post": "yes"}).status_code == 403
    )
