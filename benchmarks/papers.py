"""Time and memory of one file of 500 packing slips and labels: `python -m benchmarks.papers`.

In a SQLite database in memory. The labels are those of the ShipStation simulator.
"""

# ruff: noqa: PLC0415 (models need the settings that main() names)

from __future__ import annotations

import os
import resource
import sys
import time

import django


def main(count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    shipments = _shipments(count)
    from apps.fulfillment import services
    from apps.fulfillment.models import PrintJob

    before = _peak_mb()
    started = time.perf_counter()
    services.print_papers(shipments=shipments)
    services.run_print_jobs()
    taken = time.perf_counter() - started
    job = PrintJob.objects.get()
    size = job.file.size / 2**20
    print(f"{job.status}: {job.done} shipments, {job.pages} pages, {size:.1f} MB, {taken:.1f} s")
    print(f"peak memory {_peak_mb():.0f} MB, of which {before:.0f} MB before it began")
    job.file.delete()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _shipments(count: int) -> list:
    from apps.fulfillment.models import Fulfillment, FulfillmentLine, Parcel, ShippingLabel
    from apps.inventory.models import Location
    from apps.orders.models import Order, OrderLine
    from apps.shipping.carriers.shipstation.simulator import draw_label
    from tests.factories.stores import StoreFactory

    store, place = StoreFactory(), Location.objects.create(code="here", name="Here")
    address = {"first_name": "Ana", "last_name": "García", "line1": "Calle Mayor 1"}
    address |= {"city": "Madrid", "postal_code": "28013", "country": "ES"}
    to = {"name": "Ana García", "address_line1": "Calle Mayor 1", "country_code": "ES"}
    documents = [draw_label({"ship_from": to, "ship_to": to}, f"9400{n:018d}") for n in range(20)]
    made = []
    for number in range(count):
        order = Order.objects.create(
            number=f"WEB-{number}",
            store=store,
            email="ana@example.com",
            currency="EUR",
            subtotal=0,
            total=0,
            status="confirmed",
            shipping_address=address,
        )
        shipment = Fulfillment.objects.create(order=order, location=place)
        for position in range(5):
            line = OrderLine.objects.create(
                order=order,
                position=position,
                sku=f"SKU-{position}",
                name="A mug of good size with a handle",
                quantity=2,
                unit_price=0,
                subtotal=0,
                total=0,
            )
            FulfillmentLine.objects.create(fulfillment=shipment, order_line=line, quantity=2)
        parcel = Parcel.objects.create(fulfillment=shipment, weight=500)
        ShippingLabel.objects.create(
            parcel=parcel,
            carrier="shipstation",
            status="bought",
            document=documents[number % len(documents)],
            content_type="application/pdf",
        )
        made.append(shipment)
    return made


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
