"""Count what is shown beside products: what is bought together, what sells best in a category."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.products.models import Category, Product
from apps.storefront.services.relating import count_bests, count_together


class Command(BaseCommand):
    help = "Count which products are bought together, and which sell best in each category."

    def handle(self, *args: Any, **options: Any) -> None:
        steps = (
            ("products", Product.objects.count(), count_together()),
            ("categories", Category.objects.filter(is_active=True).count(), count_bests()),
        )
        for unit, total, counting in steps:
            done = 0
            try:
                with tqdm(total=total, unit=f" {unit}", file=self.stderr) as bar:
                    for number in counting:
                        done += number
                        bar.update(number)
            except KeyboardInterrupt:
                raise CommandError(f"Stopped after {done} of {total} {unit}.") from None
            self.stdout.write(f"{done} {unit} counted")
