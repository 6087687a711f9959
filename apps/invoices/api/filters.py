"""How merchants look for invoices."""

import django_filters

from apps.invoices.models import Invoice


class InvoiceFilter(django_filters.FilterSet):
    store = django_filters.CharFilter("store__code")
    year = django_filters.NumberFilter("year", min_value=2000, max_value=9999)
    kind = django_filters.ChoiceFilter(choices=Invoice.Kind.choices)
    order = django_filters.CharFilter("order__number")

    class Meta:
        model = Invoice
        fields: list[str] = []
