"""What docs/prices.md shows works when pasted: its commands are run against a shop."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from apps.pricing.models import CurrencyRule, Price
from apps.products.models import Variant
from tests.architecture.house import ROOT
from tests.factories.stores import ExchangeRateFactory
from tests.flows.conftest import build_shop

START, PAGE = ((ROOT / "docs" / name).read_text() for name in ("quick-start.md", "prices.md"))
DEMO = "http://localhost:8000"


def _blocks(page):
    return re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)


@pytest.mark.race
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed.")
def test_prices_are_set_as_the_page_shows(live_server, store, merchant):
    store.currencies = ["USD"]
    store.save()
    build_shop(store)
    ExchangeRateFactory()
    merchant.set_password(re.search(r'"password": "([^"]+)"', START)[1])
    merchant.save()
    # The helpers and the log-in of the quick start.
    lines = re.findall(r"^(?:SHOP=|call\(|pick\(|LOGIN=|ACCESS=|staff\().*\n", START, re.M)
    script = "".join([*lines, *_blocks(PAGE)]).replace(DEMO, live_server.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sale = Price.objects.get(valid_from__isnull=False)
    rule = CurrencyRule.objects.get()
    variant = Variant.objects.get(unit_quantity=750)
    assert (sale.amount, rule.round_to, variant.quantity_step) == (500, 100, 6)
    assert done.stdout.splitlines()[0] == "{'amount': '5.00', 'currency': 'EUR'}"
