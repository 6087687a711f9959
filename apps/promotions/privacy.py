"""What is personal in promotions: that somebody's mailbox, as a digest, has used one."""

from django.db.models import Q

from apps.core.emails import email_key
from apps.core.personal import Person, Where, emptied, impersonal
from apps.promotions.models import Coupon, Promotion, Redemption


def _by_mailbox(person: Person) -> Q:
    return Q(customer_key__in=[email_key(address) for address in person.emails])


impersonal(Coupon, Promotion)
# The use stays counted.
emptied(
    Redemption,
    Where(also=_by_mailbox),
    forgets={"customer_key": "", "slot": None},
    plain="reference currency",
)
