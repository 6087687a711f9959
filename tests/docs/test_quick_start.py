"""What docs/quick-start.md shows works when pasted: its commands are run against a shop."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from apps.orders.models import Order
from tests.architecture.house import ROOT
from tests.flows.conftest import build_shop

PAGE = (ROOT / "docs" / "quick-start.md").read_text()
DEMO = "http://localhost:8000"


@pytest.mark.race
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed.")
def test_quick_start_sells_and_ships(live_server, store, drain, merchant):
    build_shop(store)
    drain()
    password = re.search(r'"password": "([^"]+)"', PAGE)[1]
    merchant.set_password(password)
    merchant.save()
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    script = "".join(block for block in blocks if not block.startswith("make ")).replace(
        DEMO, live_server.url
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("PK123456789ES")
    assert Order.objects.get().email == "you@example.com"
