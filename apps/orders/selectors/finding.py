"""How merchants look for orders: one set of filters, for lists, exports and commands."""

from __future__ import annotations

from collections.abc import Mapping

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.api.filters import MomentFilter
from apps.core.context import Limits
from apps.core.errors import DomainError
from apps.core.scopes import scoped
from apps.orders.models import Order
from apps.orders.selectors.search import search_orders


class WrongFilter(DomainError):
    code = "wrong_filter"
    message = _("Orders aren't filtered like that.")


class OrderFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Order.Status.choices)
    payment_status = django_filters.ChoiceFilter(choices=Order.PaymentStatus.choices)
    fulfillment_status = django_filters.ChoiceFilter(choices=Order.FulfillmentStatus.choices)
    store = django_filters.CharFilter("store__code")
    email = django_filters.CharFilter("email", "iexact")
    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")
    tag = django_filters.CharFilter(method="with_tag", help_text="A tag's name.")
    assignee = django_filters.CharFilter(
        method="of_assignee", help_text="The e-mail address of somebody of the staff, or `none`."
    )
    search = django_filters.CharFilter(
        method="with_words",
        help_text="Words, or how they begin: number, e-mail, name, SKU, tracking number, amount,"
        " notes.",
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def with_tag(self, orders: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return orders.filter(tags__key=value.casefold())

    def of_assignee(self, orders: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        if value == "none":
            return orders.filter(assignee=None)
        return orders.filter(assignee__email=value.lower())

    def with_words(self, orders: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return search_orders(orders, value[:300])


def chosen_orders(filters: Mapping[str, str], limits: Limits | None = None) -> QuerySet[Order]:
    """The orders that fit `filters`, which are those of the API's list, as far as the acting staff
    may see them (or somebody with other `limits`).

    Raises WrongFilter for a filter that doesn't exist and a value that it doesn't take.
    """
    if unknown := sorted(filters.keys() - OrderFilter.base_filters.keys()):
        raise WrongFilter(_("Unknown: %s") % ", ".join(unknown), field="filters")
    found = OrderFilter(dict(filters), scoped(Order.objects.all(), limits))
    if not found.is_valid():
        name, errors = next(iter(found.errors.items()))
        raise WrongFilter(f"{name}: {errors[0]}", field="filters")
    return found.qs
