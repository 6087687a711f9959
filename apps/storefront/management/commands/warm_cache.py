"""Ask for what is asked most, so that shoppers find it ready after a deploy."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.core import http
from apps.storefront.selectors.warming import asked_most

_LARGEST = 20 * 1024 * 1024


class Command(BaseCommand):
    help = "Ask for the lists, categories and most popular products, of every store and currency."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default=settings.SITE_URL, help="Whom to ask: the shop, or a cache before it."
        )
        parser.add_argument("--host", help="The name of the shop, where --url has another.")
        parser.add_argument("--products", type=int, default=200, help="Most popular, by store.")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = list(asked_most(products=options["products"]))
        base, done, refused = options["url"].rstrip("/"), 0, 0
        host = {"Host": options["host"]} if options["host"] else {}
        try:
            for each in tqdm(asked, unit="answer", file=self.stderr):
                headers = {"X-Store": each.store, "Accept-Language": each.language, **host}
                answer = http.send(
                    "GET", base + each.path, max_bytes=_LARGEST, headers=headers, inside=True
                )
                done, refused = done + 1, refused + (answer.status != 200)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after {done} of {len(asked)} answers.") from None
        except http.FetchError as error:
            raise CommandError(f"{base} doesn't answer: {error}") from error
        if refused:
            raise CommandError(f"{refused} of {done} answers weren't 200.")
        self.stdout.write(f"{done} answers are ready")
