"""The API's address table: the storefront's, then the merchants' under `admin/`.

A literal that can be read; every room keeps its own routes in `api/urls.py`.
"""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from apps.accounts.api import urls as accounts
from apps.checkout.api import urls as checkout
from apps.checkout.api.staff import StaffOneCallView
from apps.customers.api import urls as customers
from apps.fraud.api import urls as fraud
from apps.fulfillment.api import urls as fulfillment
from apps.integrations.api import urls as integrations
from apps.inventory.api import urls as inventory
from apps.invoices.api import urls as invoices
from apps.notifications.api import urls as notifications
from apps.orders.api import urls as orders
from apps.orders.api.views import OrderListView
from apps.payments.api import urls as payments
from apps.pricing.api import urls as pricing
from apps.products.api import urls as products
from apps.promotions.api import urls as promotions
from apps.returns.api import urls as returns
from apps.reviews.api import urls as reviews
from apps.shipping.api import urls as shipping
from apps.storefront.api import urls as storefront
from apps.stores.api import urls as stores
from apps.taxes.api import urls as taxes
from apps.webhooks.api import urls as webhooks
from apps.wishlists.api import urls as wishlists
from commerce.previews import PromotionPreview

_ROOMS = (
    accounts,
    customers,
    storefront,
    checkout,
    orders,
    payments,
    fulfillment,
    returns,
    reviews,
    invoices,
    # `products/export/` before `products/<slug>/`.
    integrations,
    products,
    inventory,
    promotions,
    pricing,
    shipping,
    taxes,
    stores,
    notifications,
    wishlists,
    fraud,
    webhooks,
)


class MerchantOrders(OrderListView, StaffOneCallView):
    """One address, two rooms: `orders` lists them, `checkout` makes them."""

    required_permissions = (
        OrderListView.required_permissions | StaffOneCallView.required_permissions
    )


def _routes(audience: str) -> list:
    return [route for room in _ROOMS for route in getattr(room, audience, [])]


urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include(_routes("storefront"))),
    path("admin/orders/", MerchantOrders.as_view({"get": "list", "post": "create"})),
    path("admin/promotions/preview/", PromotionPreview.as_view({"post": "create"})),
    path("admin/", include(_routes("admin"))),
]
