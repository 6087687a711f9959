from apps.checkout import services
from apps.checkout.events import VATNumberGiven
from apps.core.events import receives
from apps.orders.events import OrderCancelled


@receives(OrderCancelled)
def reopen(event: OrderCancelled) -> None:
    if not event.was_confirmed and event.source:
        services.reopen_cart(source=event.source)


@receives(VATNumberGiven)
def check_vat_number(event: VATNumberGiven) -> None:
    services.check_typed_vat_number(store_code=event.store, number=event.number)
