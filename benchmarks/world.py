"""A database of its own with a shop in it: two stores, 50 categories, thousands of products."""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests import postgres

ROOT = Path(__file__).resolve().parents[1]
# Each word stands in 5 % of the names.
ADJECTIVES = (
    *("amber", "brisk", "coral", "dusky", "ember", "frost", "golden", "hazel", "ivory", "jade"),
    *("khaki", "linen", "maple", "navy", "ochre", "pearl", "quartz", "russet", "slate", "teal"),
)
NOUNS = ("Lamp", "Chair", "Shirt", "Mug", "Backpack", "Clock", "Notebook", "Scarf", "Bowl", "Rug")
CATEGORIES, BRANDS = 50, 40
STOCK = "near=1000000 far=1000000"
COLUMNS = (
    *("slug", "name", "description", "status", "brand", "tags", "categories", "tax_class"),
    *("options", "publications", "sku", "variant_options", "weight_grams"),
    *("currency", "price", "compare_at_price", "stock"),
)


def server_url() -> str:
    """The PostgreSQL to measure with: a named one, else one that comes from pip."""
    return os.environ.get("TEST_POSTGRES_URL") or postgres.start()


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """The address of a new, empty database, which is dropped in the end."""
    name = f"commerce_bench_{os.getpid()}"
    address = urlsplit(server)
    maintenance = (
        address._replace(path="/postgres").geturl().replace("postgres://", "postgresql://")
    )
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield address._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def production(database: str) -> dict[str, str]:
    """Production settings, without limits that a load generator would meet and without a broker.

    The throttle is on (it costs something), its limit is out of reach.
    """
    return {
        "DJANGO_SETTINGS_MODULE": "commerce.settings",
        "DATABASE_URL": database,
        "SECRET_KEY": "benchmark-" + "x" * 50,
        "DEBUG": "0",
        "COMMERCE_DEMO": "0",
        "HTTPS": "0",
        "STAFF_SECOND_FACTOR": "0",
        "ALLOWED_HOSTS": "*",
        "API_RATE_PER_MINUTE": "1000000000",
        "BACKGROUND": "manual",
        "REDIS_URL": "",
        "BROKER_URL": "memory://localhost/",
        "EMAIL_URL": "dummymail://",
    }


@contextmanager
def stripe() -> Iterator[dict[str, str]]:
    """A Stripe of our own, in a process of its own; the settings that lead to it."""
    command = [sys.executable, "manage.py", "simulate", "stripe", "--port=0"]
    # It needs no database, and the shop's isn't there yet.
    settings = {"DEBUG": "1", "BACKGROUND": "manual", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings}
    ) as process:
        told = (line.split("API_BASE=") for line in process.stdout or ())
        url = next(words[1].strip() for words in told if len(words) == 2)
        try:
            yield {
                "STRIPE_SECRET_KEY": "sk_test_simulator",
                "STRIPE_API_BASE": url,
                "STRIPE_WEBHOOK_SECRETS": "whsec_bench",
            }
        finally:
            process.terminate()


@dataclass(frozen=True)
class Run:
    """A command that has run: seconds, peak memory in MB, its last line."""

    seconds: float
    peak_mb: float
    said: str


def manage(*arguments: str) -> Run:
    """Run a management command as a process of its own. Raises RuntimeError when it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)}\n{output[-3000:]}")
    seconds = time.perf_counter() - started
    return Run(seconds, usage.ru_maxrss / 1024, (output.strip().splitlines() or [""])[-1])


def slug(number: int) -> str:
    return f"product-{number}"


def skus(number: int) -> tuple[str, str]:
    return f"SKU-{number}-S", f"SKU-{number}-L"


def write_products(path: Path, count: int) -> None:
    """A file of `count` products with two variants each, in our own import format."""
    dice = random.Random(1)
    names = itertools.cycle(itertools.product(ADJECTIVES, NOUNS))
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(count):
            adjective, noun = next(names)
            head = (
                slug(number),
                f"{adjective.title()} {noun} {number}",
                f"<p>A {adjective} {noun.lower()} for every day.</p>" * 5,
                "active",
                f"Brand {dice.randrange(BRANDS)}",
                f"{adjective}, {noun.lower()}",
                f"Category {dice.randrange(CATEGORIES)}",
                "standard",
                json.dumps({"Size": ["S", "L"]}),
                json.dumps({"web": [None, None], "outlet": [None, None]}),
            )
            price = dice.randrange(500, 20_000)
            amounts = (f"{price / 100:.2f}", f"{price * 1.2 / 100:.2f}")
            for size, sku in zip("SL", skus(number), strict=True):
                product = head if size == "S" else (head[0], *[""] * (len(head) - 1))
                option = json.dumps({"Size": size})
                rows.writerow((*product, sku, option, 300, "EUR", *amounts, STOCK))
