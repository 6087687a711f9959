"""A furnished shop: at least one of everything that the API can show, and its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.services.api_keys import create_api_key
from apps.accounts.services.tokens import live_sessions
from apps.core import outbox
from apps.customers.models import Customer
from apps.fraud.models import FraudSettings
from apps.fulfillment.services import print_papers
from apps.integrations.models import ImportJob
from apps.invoices.services import issue_invoice
from apps.orders.models import Order, SavedExport
from apps.orders.services.bulk import draft_bulk
from apps.orders.services.export_runs import run_exports, schedule_exports
from apps.products.models import Variant
from apps.returns.models import ReturnPhoto, ReturnPolicy
from apps.returns.services import (
    Wish,
    approve_return,
    process_photos,
    request_return,
    take_photos,
)
from apps.reviews.models import ReviewPhoto
from apps.reviews.services import approve_review
from apps.shipping.models import Zone
from apps.stores.models import Store
from apps.taxes.models import TaxRate, TaxSettings
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import create_endpoint, send_test
from apps.wishlists.models import Alert, Wishlist, WishlistItem
from apps.wishlists.selectors.alerts import alert_token
from tests.factories.accounts import IdentityProviderFactory, PasskeyFactory, SocialAccountFactory
from tests.factories.customers import (
    AddressFactory,
    CustomerFactory,
    CustomerGroupFactory,
    SegmentFactory,
)
from tests.factories.fraud import AssessmentFactory, FraudRuleFactory
from tests.factories.orders import ApprovalFactory
from tests.factories.payments import (
    PayLinkFactory,
    SavedMethodFactory,
    gift_card,
    payout_difference,
    store_credit,
)
from tests.factories.pricing import CurrencyRuleFactory, PriceFactory, PriceListFactory
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ProductImageFactory,
    ProductTypeFactory,
    TagFactory,
)
from tests.factories.promotions import CouponFactory, PromotionFactory
from tests.factories.reviews import ReviewFactory
from tests.factories.shipping import (
    DutyRateFactory,
    DutyThresholdFactory,
    HolidayFactory,
    PickupPointFactory,
    ShippingMethodFactory,
)
from tests.factories.storefront import SearchRedirectFactory, SearchSynonymFactory
from tests.factories.stores import StoreFactory
from tests.factories.taxes import TaxExemptionFactory, VATCheckFactory
from tests.flows.conftest import ADDRESS, Buyer, Shop, build_shop
from tests.permissions.cast import bearer, staff
from tests.products.pictures import picture

BASE = "/api/v1"
# What bodies name by these members, so that some of them name rows that exist.
KNOWN = {
    "sku": "BOOK",
    "location": "near",
    "source": "near",
    "target": "far",
    "gateway": "manual",
    "shipping_method": "post",
    "currency": "EUR",
    "country": "ES",
    "region": "M",
    "postal_code": "28013",
    "quantity": 1,
    "store": "main",
    "tax_class": "standard",
    "group": "vip",
    "price_list": "vip-prices",
    "brand": "press",
    "parent": "reading",
    "language": "en",
    "amount": "1.00",
    "email": "ana@shopper.example.com",
    "scopes": ["orders.view_order"],
}


@dataclass(frozen=True)
class Person:
    """A shopper with an address, an open cart and an order that was shipped in part."""

    user: User
    customer: Customer
    client: APIClient
    address_id: str
    cart_id: str
    line_id: str
    order: dict[str, Any]


@dataclass(frozen=True)
class Furnished:
    shop: Shop
    owner: User
    merchant: APIClient
    ana: Person
    bob: Person
    # The rows' public names by operation path, then by parameter.
    hits: dict[str, dict[str, Any]]


def _ok(response: Any) -> Any:
    assert response.status_code < 300, response.content
    return response.json()


def _person(name: str, merchant: APIClient) -> Person:
    email = f"{name}@shopper.example.com"
    customer = CustomerFactory(user__email=email, first_name=name.title(), last_name="Marker")
    client = bearer(customer.user)
    address = AddressFactory(customer=customer, first_name=name.title())
    buyer = Buyer(client)
    placed = {**ADDRESS, "first_name": name.title()}
    buyer.fill(("BOOK", 2), email=email, shipping_address=placed, note=f"note of {name}")
    order = _ok(buyer.checkout())["order"]
    line = order["lines"][0]
    number = order["number"]
    _ok(
        merchant.post(
            f"{BASE}/admin/orders/{number}/fulfill/",
            {"lines": [{"id": line["id"], "quantity": 1}], "carrier": "Correos"},
        )
    )
    cart = buyer.fill(("BOOK", 1), email=email)
    return Person(
        customer.user,
        customer,
        client,
        str(address.public_id),
        cart["id"],
        cart["lines"][0]["id"],
        order,
    )


def furnish(store: Store) -> Furnished:
    """Build it. Mails wait in the outbox until it is drained here."""
    shop = build_shop(store)
    Store.objects.filter(pk=store.pk).update(
        legal_name="Main S.L.", street="Calle Mayor 1", city="Madrid"
    )
    TaxSettings.objects.create(store=store, vat_number="ESB12345674")
    owner = staff("owner")
    merchant = bearer(owner)
    key, _secret = create_api_key(created_by=owner, name="Erp", scopes=["orders.view_order"])
    product = shop.book.product
    product.brand = BrandFactory(slug="press")
    product.product_type = ProductTypeFactory(code="books")
    product.save()
    product.categories.add(CategoryFactory(slug="reading"))
    product.tags.add(TagFactory(slug="paper"))
    AttributeFactory(code="pages")
    collection = CollectionFactory(slug="new")
    collection.products.add(product)
    image = ProductImageFactory(product=product)
    group = CustomerGroupFactory(code="vip")
    price_list = PriceListFactory(code="vip-prices", group=group)
    price = PriceFactory(variant=shop.book, price_list=price_list, amount=1500)
    rule = CurrencyRuleFactory(store=StoreFactory(is_active=False, currencies=["USD"]))
    sale = PromotionFactory(code="sale", needs_code=True)
    CouponFactory(promotion=sale, code="SALE10")
    zone = Zone.objects.get()
    pickup = ShippingMethodFactory(store=store, zone=zone, code="kiosk", kind="pickup")
    job = ImportJob.objects.create(store=store, format="commerce", original_name="products.csv")
    ana, bob = _person("ana", merchant), _person("bob", merchant)
    review = ReviewFactory(product=product, store=store, customer=ana.customer, author_name="A.")
    approve_review(review=review)
    photo = ReviewPhoto.objects.create(customer=ana.customer)
    order = Order.objects.get(number=ana.order["number"])
    bulk = draft_bulk(orders=Order.objects.filter(pk=order.pk), user=owner)
    export = SavedExport.objects.create(name="Daily", frequency="daily", created_by=owner)
    schedule_exports()
    run_exports()
    run = export.runs.get()
    line = order.lines.get()
    taken = take_photos(order=order, files=[ContentFile(picture("PNG", (40, 40)))])
    back = request_return(order=order, wishes=[Wish(line.public_id, 1, "defective")], photos=taken)
    approve_return(request=back)
    process_photos()
    coming = ReturnPhoto.objects.create(order=order)
    policy = ReturnPolicy.objects.create(store=store)
    outbox.drain()
    order.refresh_from_db()
    payment = order.payments.get()
    difference = payout_difference(payment)
    invoice = issue_invoice(order=order)
    shipment = order.fulfillments.get()
    fraud = FraudSettings.objects.create(store=store)
    delivery = _delivery(owner)
    by_slug = {"slug": product.slug}
    paths = {
        "/admin/api-keys/{id}/": {"id": key.public_id},
        "/admin/approvals/{id}/": {"id": _approval(order)},
        "/admin/webhook-deliveries/{id}/": {"id": delivery.public_id},
        "/admin/webhook-endpoints/{id}/": {"id": delivery.endpoint.public_id},
        "/admin/attributes/{code}/": {"code": "pages"},
        "/admin/brands/{slug}/": {"slug": "press"},
        "/admin/categories/{slug}/": {"slug": "reading"},
        "/admin/collections/{slug}/": {"slug": "new"},
        "/admin/currency-rules/{id}/": {"id": rule.public_id},
        "/admin/customer-groups/{code}/": {"code": "vip"},
        "/admin/customers/{id}/": {"id": ana.customer.public_id},
        **{
            f"/admin/customers/{{id}}/{verb}/": {"id": ana.customer.public_id}
            for verb in ("duplicates", "merge", "merge/preview", "notes", "tags", "timeline")
        },
        "/admin/duty-rates/{id}/": {"id": DutyRateFactory().public_id},
        "/admin/duty-thresholds/{id}/": {"id": DutyThresholdFactory().public_id},
        "/admin/fraud/assessments/{id}/": {"id": AssessmentFactory(store=store).public_id},
        "/admin/fraud/rules/{id}/": {"id": FraudRuleFactory(store=store).public_id},
        "/admin/fraud/settings/{code}/": {"code": fraud.store.code},
        "/admin/fulfillments/{fulfillment_id}/": {"fulfillment_id": shipment.public_id},
        "/admin/gift-cards/{id}/": {"id": gift_card(recipient_email=ana.user.email).public_id},
        "/admin/holidays/{id}/": {"id": HolidayFactory().public_id},
        "/admin/images/{id}/": {"id": image.public_id},
        "/admin/imports/{id}/": {"id": job.public_id},
        "/admin/invoices/{id}/": {"id": invoice.public_id},
        "/admin/locations/{code}/": {"code": "near"},
        "/admin/orders/bulk/{id}/": {"id": bulk.public_id},
        "/admin/orders/exports/{id}/": {"id": export.public_id},
        "/admin/orders/export-runs/{id}/": {"id": run.public_id},
        "/admin/orders/{number}/": {"number": order.number},
        "/admin/pay-links/{link_id}/": {"link_id": PayLinkFactory(order=order).public_id},
        "/admin/payment-differences/{id}/": {"id": difference.public_id},
        "/admin/payouts/{id}/": {"id": difference.payout.public_id},
        "/admin/payments/{payment_id}/": {"payment_id": payment.public_id},
        "/admin/pickup-points/{id}/": {"id": PickupPointFactory(method=pickup).public_id},
        "/admin/price-lists/{code}/": {"code": "vip-prices"},
        "/admin/prices/{id}/": {"id": price.public_id},
        "/admin/product-types/{code}/": {"code": "books"},
        "/admin/products/{slug}/": by_slug,
        "/admin/print-jobs/{id}/": {"id": print_papers(shipments=[shipment]).public_id},
        "/admin/promotions/{code}/": {"code": "sale", "coupon": "SALE10"},
        "/admin/return-policies/{id}/": {"id": policy.public_id},
        "/admin/returns/{id}/": {"id": back.public_id, "photo_id": taken[0]},
        "/admin/reviews/{id}/": {"id": review.public_id},
        "/admin/search-redirects/{id}/": {"id": SearchRedirectFactory(store=store).public_id},
        "/admin/search-synonyms/{id}/": {"id": SearchSynonymFactory(store=store).public_id},
        "/admin/shipping-methods/{store}/{code}/": {"store": store.code, "code": "post"},
        "/admin/shipping-zones/{id}/": {"id": Zone.objects.get().public_id},
        "/admin/store-credit/{id}/": {"id": store_credit(ana.customer).public_id},
        "/admin/stores/{code}/": {"code": store.code},
        "/admin/segments/{code}/": {"code": SegmentFactory(code="regulars").code},
        "/admin/tags/{slug}/": {"slug": "paper"},
        "/admin/tax-classes/{code}/": {"code": "standard"},
        "/admin/tax-exemptions/{id}/": {"id": TaxExemptionFactory().public_id},
        "/admin/tax-rates/{id}/": {"id": TaxRate.objects.first().public_id},
        "/admin/tax-settings/{code}/": {"code": store.code},
        "/admin/variants/{sku}/": {"sku": shop.book.sku},
        "/admin/vat-checks/{id}/": {"id": VATCheckFactory().public_id},
        "/auth/passkeys/{id}/": {"id": PasskeyFactory(user=ana.user).public_id},
        "/auth/sessions/{id}/": {"id": live_sessions(ana.user).order_by("-pk")[0].family},
        "/auth/social/accounts/{id}/": {"id": SocialAccountFactory(user=ana.user).public_id},
        "/auth/social/{slug}/": {"slug": IdentityProviderFactory().slug},
        "/carts/{cart_id}/": {"cart_id": ana.cart_id, "line_id": ana.line_id},
        "/categories/{slug}/": {"slug": "reading"},
        "/collections/{slug}/": {"slug": "new"},
        "/me/addresses/{id}/": {"id": ana.address_id},
        # Of a gateway that isn't set up any more, so that removing it asks nobody.
        "/me/payment-methods/{id}/": {
            "id": SavedMethodFactory(customer=ana.customer, gateway="former").public_id
        },
        "/me/reviews/{id}/": {"id": review.public_id},
        "/returns/uploads/": {"photo_id": coming.public_id},
        "/reviews/uploads/": {"photo_id": photo.public_id},
        "/reviews/{id}/": {"id": review.public_id},
        **_wishes(ana, shop.book),
        "/orders/{number}/": {
            "number": order.number,
            "invoice_id": invoice.public_id,
            "return_id": back.public_id,
            "photo_id": taken[0],
        },
        "/products/{slug}/": by_slug,
        "/me/products/{slug}/": by_slug,
        "/webhooks/carriers/{carrier}/": {"carrier": "shipstation"},
        "/webhooks/{provider}/": {"provider": "stripe"},
    }
    hits = {path: {name: str(value) for name, value in row.items()} for path, row in paths.items()}
    return Furnished(shop, owner, merchant, ana, bob, hits)


def _delivery(owner: User) -> WebhookDelivery:
    """What an endpoint was told that is stopped: nothing goes out of here."""
    endpoint, _secret = create_endpoint(
        created_by=owner, name="Erp", url="https://erp.example.com/", events=["order.placed"]
    )
    WebhookEndpoint.objects.update(is_active=False)
    delivery = send_test(endpoint=endpoint)
    WebhookDelivery.objects.update(status="delivered")
    return delivery


def _approval(order: Order) -> Any:
    """The id of a request to refund a part of the order's payment."""
    arguments = {"payment": str(order.payments.earliest("pk").public_id)}
    return ApprovalFactory(order=order, arguments=arguments).public_id


def _wishes(person: Person, variant: Variant) -> dict[str, dict[str, Any]]:
    """A shared wishlist of somebody with an item, and what they wait for."""
    wishlist = Wishlist.objects.create(customer=person.customer, name="Mine", token="t" * 43)
    item = WishlistItem.objects.create(wishlist=wishlist, variant=variant)
    alert = Alert.objects.create(
        kind="stock",
        status="waiting",
        store=Store.objects.get(is_default=True),
        variant=variant,
        customer=person.customer,
        email=person.user.email,
        currency="EUR",
    )
    ids = {"wishlist_id": wishlist.public_id, "item_id": item.public_id}
    return {
        "/alerts/{token}/": {"token": alert_token(alert)},
        "/me/alerts/{id}/": {"id": alert.public_id},
        "/me/wishlists/{id}/": {"id": wishlist.public_id},
        "/me/wishlists/{wishlist_id}/": ids,
        "/wishlists/{token}/": {"token": wishlist.token},
    }


def values_for(path: str, hits: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The parameters of an operation's path that lead to a row: by its longest known beginning."""
    if "{" not in path:
        return {}
    known = max((p for p in hits if path.startswith(p)), key=len)
    return {name: value for name, value in hits[known].items() if "{" + name + "}" in path}


def with_known(value: Any) -> Any:
    """`value` with the names of rows that exist, wherever it names any."""
    if isinstance(value, dict):
        return {
            name: KNOWN[name] if name in KNOWN and inner is not None else with_known(inner)
            for name, inner in value.items()
        }
    return [with_known(inner) for inner in value] if isinstance(value, list) else value
