"""Which promotions there are for a basket, and what its items are to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.products.models import Category, Collection, CollectionProduct
from apps.promotions.models import Redemption
from apps.promotions.selectors import catalogue_rules, facts_of, offered
from tests.factories.products import BrandFactory, ProductFactory, TagFactory
from tests.factories.promotions import CouponFactory, PromotionFactory
from tests.factories.stores import SellerFactory, StoreFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


def found(store, **kwargs):
    offer = offered(store=store, currency="EUR", at=NOW, **kwargs)
    return {(rule.code, rule.coupon): rule.refusal for rule in offer.rules}, offer.unknown


def test_what_is_active_here_and_now_is_offered(store):
    PromotionFactory(code="here").stores.add(store)
    PromotionFactory(code="elsewhere").stores.add(StoreFactory())
    PromotionFactory(code="everywhere")
    PromotionFactory(code="off", is_active=False)
    PromotionFactory(code="ended", ends_at=NOW)
    PromotionFactory(code="later", starts_at=NOW + DAY)
    PromotionFactory(code="secret", needs_code=True)
    assert found(store) == ({("here", ""): "", ("everywhere", ""): ""}, ())
    assert found(store, explain=True)[0] == {
        ("here", ""): "",
        ("everywhere", ""): "",
        ("later", ""): "",
        ("secret", ""): "needs_code",
    }


def test_codes_bring_their_promotions_and_wrong_ones_are_named(store):
    secret = PromotionFactory(code="secret", needs_code=True)
    CouponFactory(promotion=secret, code="A")
    CouponFactory(promotion=secret, code="B", is_active=False)
    CouponFactory(promotion=secret, code="C", usage_limit=1, used=1)
    CouponFactory(promotion__code="off", promotion__is_active=False, code="D")
    rules, unknown = found(store, codes=("A", "B", "C", "D", "NONE"))
    assert (rules, unknown) == ({("secret", "A"): ""}, ("B", "C", "D", "NONE"))


def test_limits_and_currencies_refuse(store):
    PromotionFactory(code="full", usage_limit=1, used=1)
    mine = PromotionFactory(code="mine", usage_limit_per_customer=1)
    PromotionFactory(code="yen", effect={"type": "amount_off", "amount": {"JPY": "500"}})
    Redemption.objects.create(
        promotion=mine, reference="x", customer_key="me", slot=1, currency="EUR", amount=1
    )
    assert found(store, customer_key="me")[0] == {
        ("full", ""): "used_up",
        ("mine", ""): "used_up_by_customer",
        ("yen", ""): "other_currency",
    }
    assert found(store, customer_key="you")[0]["mine", ""] == ""


def test_a_change_counts_at_once(store):
    promotion = PromotionFactory()
    assert len(found(store)[0]) == 1
    promotion.is_active = False
    promotion.save()
    assert found(store)[0] == {}


@pytest.mark.parametrize("number", [1, 200])
def test_however_many_there_are_it_is_three_statements(store, number, django_assert_num_queries):
    for n in range(number):
        PromotionFactory(usage_limit_per_customer=5, code=f"p{n}")
    CouponFactory(code="A")
    found(store, codes=("A",), customer_key="me")
    # Codes, what is active, and the customer's uses; the rules are compiled already.
    with django_assert_num_queries(3):
        assert len(found(store, codes=("A",), customer_key="me")[0]) == number + 1


def test_catalogue_rules_are_those_of_now_and_later(store):
    PromotionFactory(code="cart")
    PromotionFactory(code="now", is_catalogue=True)
    PromotionFactory(code="later", is_catalogue=True, starts_at=NOW + DAY)
    PromotionFactory(code="over", is_catalogue=True, ends_at=NOW)
    rules = catalogue_rules(store=store, currency="EUR", at=NOW)
    assert sorted(rule.code for rule in rules) == ["later", "now"]


def test_a_product_is_known_by_everything_it_is_in(django_assert_num_queries):
    home = Category.add_root(name="Home", slug="home")
    kitchen = home.add_child(name="Kitchen", slug="kitchen")
    product = ProductFactory(
        slug="mug",
        brand=BrandFactory(slug="acme"),
        seller=SellerFactory(slug="anna"),
        attributes={"colour": "red", "sizes": ["S", "M"], "organic": True, "litres": 0.3},
    )
    product.categories.add(kitchen)
    product.tags.add(TagFactory(slug="new"))
    for slug, active in (("summer", True), ("hidden", False)):
        collection = Collection.objects.create(name=slug, slug=slug, is_active=active)
        CollectionProduct.objects.create(collection=collection, product=product)
    plain = ProductFactory(slug="plain")
    facts_of([product])
    with django_assert_num_queries(2):
        facts = facts_of([product, plain])
    assert facts[product.pk] == {
        "product:mug",
        "category:home",
        "category:kitchen",
        "brand:acme",
        "vendor:anna",
        "tag:new",
        "collection:summer",
        "attribute:colour=red",
        "attribute:sizes=S",
        "attribute:sizes=M",
        "attribute:organic=true",
        "attribute:litres=0.3",
    }
    assert facts[plain.pk] == {"product:plain"}
