"""What is personal in taxes: why somebody paid none."""

from django.db.models import Q

from apps.core.personal import Person, Reason, Where, emptied, impersonal
from apps.customers.models import Address
from apps.taxes.models import TaxClass, TaxExemption, TaxRate, TaxSettings, VATCheck


def _by_number(person: Person) -> Q:
    """Checks of the numbers in a person's address book, which have their country in front."""
    held = Address.objects.filter(customer__in=person.customers).exclude(vat_number="")
    numbers = list(held.values_list("vat_number", flat=True))
    return Q(number__in=[*numbers, *(number[2:] for number in numbers)])


impersonal(TaxClass, TaxRate, TaxSettings)
emptied(
    TaxExemption,
    Where(customer="customer"),
    forgets={},
    keeps={"certificate": "", "reason": ""},
    reason=Reason.TAX,
    since="updated_at",
    plain="country region",
)
emptied(
    VATCheck,
    Where(also=_by_number),
    forgets={},
    keeps={"number": "", "name": "", "address": "", "answer": ""},
    reason=Reason.TAX,
    plain="country requester consultation fault",
)
