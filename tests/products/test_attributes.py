import pytest

from apps.products.models import Attribute, AttributeIndex, Product
from apps.products.services.attributes import (
    CodeTaken,
    InUse,
    InvalidAttributes,
    clean_attributes,
    delete_attribute,
    delete_product_type,
    save_attribute,
)
from apps.products.services.product import create_product, update_product
from tests.factories.products import AttributeFactory, ProductFactory, ProductTypeFactory


@pytest.fixture
def shoe(db):
    """A product type with an attribute of every kind; the material isn't filterable."""
    kind = ProductTypeFactory(code="shoe")
    kind.attributes.add(
        AttributeFactory(code="material", kind="text", is_filterable=False),
        AttributeFactory(code="sole", kind="text"),
        AttributeFactory(code="height", kind="number"),
        AttributeFactory(code="vegan", kind="boolean"),
        AttributeFactory(code="season", kind="choice", choices=["summer", "winter"]),
        AttributeFactory(code="sports", kind="choices", choices=["run", "walk", "climb"]),
        AttributeFactory(code="launched", kind="date"),
    )
    return kind


GOOD = {
    "material": "  soft \n leather ",
    "sole": "rubber",
    "height": 12.5,
    "vegan": False,
    "season": "summer",
    "sports": ["walk", "run", "walk"],
    "launched": "2024-02-29",
}


def test_values_of_every_kind_are_stored_typed(shoe):
    assert clean_attributes(product_type=shoe, values=GOOD) == {
        **GOOD,
        "material": "soft leather",
        "sports": ["walk", "run"],
    }


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("material", 5),
        ("material", "x\x00"),
        ("material", "x" * 1001),
        ("height", "12"),
        ("height", True),
        ("height", float("nan")),
        ("height", float("inf")),
        ("height", 10**30),
        ("vegan", "true"),
        ("vegan", 1),
        ("season", "spring"),
        ("season", ["summer"]),
        ("sports", "run"),
        ("sports", ["swim"]),
        ("sports", [["run"]]),
        ("launched", "2023-02-29"),
        ("launched", 20240101),
        ("unknown", "x"),
    ],
)
def test_value_of_the_wrong_kind_is_named(shoe, code, value):
    with pytest.raises(InvalidAttributes) as refused:
        clean_attributes(product_type=shoe, values={**GOOD, code: value})
    assert list(refused.value.problems) == [code]


def test_none_removes_a_value(shoe):
    assert clean_attributes(product_type=shoe, values={"sole": None, "unknown": None}) == {}


def test_product_without_a_type_has_no_attributes(db):
    with pytest.raises(InvalidAttributes):
        clean_attributes(product_type=None, values={"sole": "rubber"})


def _index(product):
    rows = AttributeIndex.objects.filter(product=product)
    return sorted(rows.values_list("attribute__code", "text", "number"))


def test_filterable_values_are_indexed_and_rewritten(shoe, store):
    fields = {"name": "Shoe", "product_type": shoe, "attributes": GOOD}
    product = create_product(fields=fields, store=store)
    assert _index(product) == [
        ("height", "", 12.5),
        ("launched", "2024-02-29", None),
        ("season", "summer", None),
        ("sole", "rubber", None),
        ("sports", "run", None),
        ("sports", "walk", None),
        ("vegan", "false", None),
    ]
    update_product(product=product, fields={"attributes": {"vegan": True}})
    assert _index(product) == [("vegan", "true", None)]


def test_attribute_that_becomes_filterable_indexes_its_products(shoe, store):
    fields = {"name": "Shoe", "product_type": shoe, "attributes": {"material": "wool"}}
    product = create_product(fields=fields, store=store)
    ProductFactory(attributes={"other": 1})
    assert _index(product) == []
    material = Attribute.objects.get(code="material")
    material.is_filterable = True
    save_attribute(attribute=material)
    assert _index(product) == [("material", "wool", None)]
    material.is_filterable = False
    save_attribute(attribute=material)
    assert _index(product) == []


def test_kind_of_an_attribute_in_use_stays(shoe, store):
    fields = {"name": "Shoe", "product_type": shoe, "attributes": {"sole": "wool"}}
    create_product(fields=fields, store=store)
    sole = Attribute.objects.get(code="sole")
    sole.kind = "number"
    with pytest.raises(InvalidAttributes):
        save_attribute(attribute=sole)
    vegan = Attribute.objects.get(code="vegan")
    vegan.kind = "text"
    assert save_attribute(attribute=vegan).kind == "text"


def test_definitions_in_use_are_not_deleted(shoe, store):
    fields = {"name": "Shoe", "product_type": shoe, "attributes": {"sole": "wool"}}
    create_product(fields=fields, store=store)
    with pytest.raises(InUse):
        delete_attribute(attribute=Attribute.objects.get(code="sole"))
    with pytest.raises(InUse):
        delete_product_type(product_type=shoe)
    Product.objects.all().delete()
    delete_attribute(attribute=Attribute.objects.get(code="sole"))
    delete_product_type(product_type=shoe)
    assert not Attribute.objects.filter(code="sole").exists()


def test_code_that_is_taken_is_refused(db):
    AttributeFactory(code="sole")
    with pytest.raises(CodeTaken):
        save_attribute(attribute=Attribute(code="sole", name="Sole"))
