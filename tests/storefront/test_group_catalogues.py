"""What is only for some customer groups: seen, found and bought by their customers alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.checkout.selectors import view_cart
from apps.checkout.services import UnknownSKU, add_line, create_cart
from apps.customers.services.profile import delete_group
from apps.inventory.services.stock import adjust, receive
from apps.products.models import Product, Publication
from apps.products.services.product import update_product
from apps.storefront.models import BoughtTogether, CategoryBest
from apps.storefront.services.listing import rebuild
from apps.storefront.services.relating import count_bests
from apps.wishlists.services.telling import tell_due
from tests.factories.customers import CustomerGroupFactory
from tests.factories.products import CategoryFactory

pytestmark = pytest.mark.django_db
EVERYBODYS, MINE = "/api/v1/products/", "/api/v1/me/products/"


@pytest.fixture
def trade(db):
    return CustomerGroupFactory(code="trade", name="Trade")


@pytest.fixture
def kitchen(db):
    return CategoryFactory(slug="kitchen", name="Kitchen")


@pytest.fixture
def mug(sell, kitchen):
    """For everybody."""
    return sell(1200, stock=5, slug="mug", name="Plain mug", categories=[kitchen])


@pytest.fixture
def keg(sell, kitchen, store, trade):
    """For the trade alone."""
    made = sell(9900, stock=5, slug="keg", name="Plain keg", categories=[kitchen])
    only(made, store, trade)
    return made


def only(product, store, *groups):
    terms = {"store": store, "starts_at": None, "ends_at": None, "groups": groups}
    update_product(product=product, fields={"publications": [terms]})
    rebuild(product_ids=[product.pk])


@pytest.fixture
def trader(shopper, trade):
    shopper.customer.group = trade
    shopper.customer.save()
    return shopper


@pytest.fixture
def slugs():
    def of(response):
        assert response.status_code == 200, response.content
        return sorted(row["slug"] for row in response.json()["results"])

    return of


@pytest.mark.usefixtures("mug", "keg", "trader")
class TestReading:
    def test_everybody_reads_what_is_for_everybody(self, api, slugs):
        assert slugs(api.get(EVERYBODYS)) == ["mug"]
        assert slugs(api.get(EVERYBODYS, {"category": "kitchen"})) == ["mug"]
        assert slugs(api.get(EVERYBODYS, {"search": "plain"})) == ["mug"]
        assert slugs(api.get(EVERYBODYS, {"price_min": "1.00", "count": "true"})) == ["mug"]
        assert api.get(f"{EVERYBODYS}facets/").json()["count"] == 1
        assert api.get(f"{EVERYBODYS}suggest/", {"q": "keg"}).json()["products"] == []
        for path in ("keg/", "keg/availability/", "keg/reviews/"):
            assert api.get(EVERYBODYS + path).status_code == 404, path
        assert "keg" not in api.get("/sitemap-products-1.xml").content.decode()
        assert b"keg" not in b"".join(api.get("/feeds/google.xml").streaming_content)

    def test_the_same_addresses_are_the_same_for_members(self, as_shopper, slugs):
        """Caches keep them for anybody: no credential is read there."""
        assert slugs(as_shopper.get(EVERYBODYS)) == ["mug"]
        assert as_shopper.get(f"{EVERYBODYS}keg/").status_code == 404

    def test_members_read_theirs_as_well(self, as_shopper, slugs):
        both = ["keg", "mug"]
        assert slugs(as_shopper.get(MINE)) == both
        assert slugs(as_shopper.get(MINE, {"category": "kitchen", "ordering": "price"})) == both
        assert slugs(as_shopper.get(MINE, {"search": "plain"})) == both
        assert slugs(as_shopper.get(MINE, {"search": "plain", "price_min": "50.00"})) == ["keg"]
        assert as_shopper.get(f"{MINE}facets/").json()["count"] == 2
        found = as_shopper.get(f"{MINE}suggest/", {"q": "keg"}).json()
        assert [row["slug"] for row in found["products"]] == ["keg"]
        page = as_shopper.get(f"{MINE}keg/").json()
        assert (page["slug"], [row["slug"] for row in page["related"]]) == ("keg", ["mug"])
        lies = as_shopper.get(f"{MINE}keg/availability/").json()
        assert [row["availability"] for row in lies["variants"]] == ["in_stock"]

    def test_nothing_of_it_is_kept(self, as_shopper):
        for path in ("", "facets/", "suggest/?q=keg", "keg/", "keg/availability/"):
            answer = as_shopper.get(MINE + path)
            assert answer["Cache-Control"] == "private, no-store", path
            assert not {"ETag", "Surrogate-Key"} & set(answer.headers), path

    def test_others_read_what_everybody_reads(self, as_stranger, stranger, slugs):
        assert slugs(as_stranger.get(MINE)) == ["mug"]
        stranger.customer.group = CustomerGroupFactory(code="press")
        stranger.customer.save()
        assert slugs(as_stranger.get(MINE)) == ["mug"]
        assert as_stranger.get(f"{MINE}keg/").status_code == 404

    def test_staff_without_a_customer_read_what_everybody_reads(self, as_merchant, slugs, merchant):
        assert slugs(as_merchant.get(MINE)) == ["mug"]
        assert not hasattr(merchant, "customer")

    def test_nobody_reads_it_without_signing_in(self, api):
        assert api.get(MINE).status_code == 401

    def test_a_page_costs_one_statement_more(self, as_shopper, django_assert_num_queries):
        for path in ("mug/", "keg/"):
            as_shopper.get(MINE + path)
            # Store, session, user, customer, page.
            with django_assert_num_queries(4):
                as_shopper.get(MINE + path)


def test_a_former_slug_leads_nobody_else_there(api, as_shopper, keg, trader):
    update_product(product=keg, fields={"slug": "barrel"})
    rebuild(product_ids=[keg.pk])
    assert api.get(f"{EVERYBODYS}keg/").status_code == 404
    moved = as_shopper.get(f"{MINE}keg/")
    assert (moved.status_code, moved["Location"]) == (308, f"{MINE}barrel/")
    assert moved["Cache-Control"] == "private, no-store"


def test_beside_a_product_of_everybodys_it_is_shown_to_members(
    api, as_shopper, mug, keg, trader, store, kitchen
):
    BoughtTogether.objects.create(product=mug, store=store, other=keg, orders=3)
    list(count_bests())
    assert not CategoryBest.objects.filter(product=keg).exists()
    assert api.get(f"{EVERYBODYS}mug/").json()["related"] == []
    related = as_shopper.get(f"{MINE}mug/").json()["related"]
    assert [row["slug"] for row in related] == ["keg"]


@pytest.mark.usefixtures("invariants")
class TestBuying:
    def test_only_members_put_it_into_a_cart(self, store, keg, trader, stranger):
        sku = keg.variants.get().sku
        for customer in (None, stranger.customer):
            cart = create_cart(store=store, customer=customer)
            with pytest.raises(UnknownSKU):
                add_line(cart=cart, sku=sku, quantity=1)
        cart = create_cart(store=store, customer=trader.customer)
        add_line(cart=cart, sku=sku, quantity=1)
        assert [line.sellable for line in view_cart(cart).lines] == [True]

    def test_who_leaves_the_group_buys_it_no_more(self, store, keg, trader):
        cart = create_cart(
            store=store, customer=trader.customer, lines=[(keg.variants.get().sku, 1)]
        )
        trader.customer.group = None
        trader.customer.save()
        view = view_cart(type(cart).objects.get(pk=cart.pk))
        assert "unavailable" in {problem.code for problem in view.problems}

    def test_wishes_are_for_members(self, store, keg, trader, stranger, as_shopper, as_stranger):
        wish = {"slug": "keg"}
        lists = {
            client: client.post("/api/v1/me/wishlists/", {"name": "Mine"}, format="json").json()
            for client in (as_shopper, as_stranger)
        }
        answers = [
            client.post(
                f"/api/v1/me/wishlists/{lists[client]['id']}/items/", wish, format="json"
            ).status_code
            for client in (as_shopper, as_stranger)
        ]
        assert answers == [201, 404]
        mine = f"/api/v1/me/wishlists/{lists[as_shopper]['id']}/"
        [item] = as_shopper.get(f"{mine}items/").json()["results"]
        assert item["product"]["slug"] == "keg"
        token = as_shopper.patch(mine, {"is_shared": True}, format="json").json()["token"]
        [item] = as_stranger.get(f"/api/v1/wishlists/{token}/items/").json()["results"]
        assert item["product"] is None


def test_what_loses_its_last_group_is_nobodys(api, as_shopper, keg, trader, trade, slugs):
    trader.customer.group = None
    trader.customer.save()
    delete_group(group=trade)
    rebuild(product_ids=[keg.pk])
    assert slugs(api.get(EVERYBODYS)) == slugs(as_shopper.get(MINE)) == []
    assert not Product.objects.published(
        keg.publications.get().store_id, timezone.now(), group_id=None
    ).exists()


class TestKeeping:
    def test_by_api(self, as_merchant, keg, trade):
        url = f"/api/v1/admin/products/{keg.slug}/"
        shown = as_merchant.get(url).json()["publications"]
        always = {"store": "main", "starts_at": None, "ends_at": None}
        assert shown == [{**always, "groups": ["trade"]}]
        CustomerGroupFactory(code="press")
        for given, kept in (
            (["trade", "press"], ["press", "trade"]),
            ([], []),
            (None, None),
        ):
            body = {"publications": [{**always, "groups": given}]}
            answer = as_merchant.patch(url, body, format="json")
            assert (answer.status_code, answer.json()["publications"][0]["groups"]) == (200, kept)
            assert Publication.objects.get().members_only == (given is not None)
        refused = as_merchant.patch(
            url, {"publications": [{**always, "groups": ["nobody"]}]}, format="json"
        )
        assert refused.status_code == 400

    def test_groups_without_saying_so_are_asked_about(self, client, merchant, keg, trade):
        client.force_login(merchant)
        form = client.get(reverse("admin:products_product_change", args=[keg.pk]))
        inline = next(
            each.formset
            for each in form.context["inline_admin_formsets"]
            if each.formset.model is Publication
        )
        [bound, *_empty] = inline.forms
        data = {
            f"{bound.prefix}-{name}": value
            for name, value in {
                "id": bound.instance.pk,
                "product": keg.pk,
                "store": bound.instance.store_id,
                "groups": [trade.pk],
            }.items()
        }
        asked = type(bound)(data, instance=bound.instance, prefix=bound.prefix)
        assert list(asked.errors) == ["members_only"]
        data[f"{bound.prefix}-members_only"] = "on"
        assert type(bound)(data, instance=bound.instance, prefix=bound.prefix).is_valid()


def test_in_the_reference_shop(client: Any, keg: Any, mug: Any, trader: Any, kitchen: Any) -> None:
    pages = [
        reverse("shop:home"),
        reverse("shop:category", args=["kitchen"]),
        reverse("shop:search") + "?search=plain",
    ]
    for page in pages:
        assert b"Plain keg" not in client.get(page).content, page
    assert client.get(reverse("shop:product", args=["keg"])).status_code == 404
    client.force_login(trader)
    for page in pages:
        assert b"Plain keg" in client.get(page).content, page
    assert client.get(reverse("shop:product", args=["keg"])).status_code == 200


def test_alerts_are_told_to_members_alone(
    api: Any, as_shopper: Any, keg: Any, trader: Any, location: Any
) -> None:
    variant = keg.variants.get()
    adjust(variant=variant, location=location, delta=-5, note="Gone")
    wish = {"kind": "stock", "sku": variant.sku}
    guest = api.post("/api/v1/alerts/", {**wish, "email": "guest@example.com"}, format="json")
    assert guest.json()["code"] == "unknown_sku"
    assert as_shopper.post("/api/v1/me/alerts/", wish, format="json").status_code == 201
    receive(variant=variant, location=location, quantity=1)
    trader.customer.group = None
    trader.customer.save()
    assert tell_due() == 0
    trader.customer.group = keg.publications.get().groups.get()
    trader.customer.save()
    assert tell_due() == 1
