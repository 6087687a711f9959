"""`manage.py simulate`: a merchant rehearses what may go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command

from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.gateways.simulation.control import BEHAVIOURS
from apps.payments.gateways.simulation.simulator import Simulator
from apps.payments.gateways.stripe.simulator import StripeSimulator
from tests.architecture.house import ROOT

DOCS = (ROOT / "docs" / "payments.md").read_text()


@pytest.fixture(params=["stripe", "paypal"])
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, Simulator]]:
    kind = StripeSimulator if request.param == "stripe" else PayPalSimulator
    with kind() as simulator:
        yield request.param, simulator


def _next(running: tuple[str, Simulator], *behaviours: str) -> str:
    provider, simulator = running
    out = StringIO()
    port = int(simulator.world.base_url.rpartition(":")[2])
    call_command("simulate", provider, port=port, next=list(behaviours), stdout=out)
    return out.getvalue()


def test_next_behaviours_reach_the_simulator(running: tuple[str, Simulator]) -> None:
    _provider, simulator = running
    told = _next(running, "decline", "3ds", "timeout-after-charge", "duplicate-webhook", "reorder")
    _next(running, "delay")
    plan = simulator.world.plan
    assert told.startswith("Next: decline.\nNext: 3ds.\n")
    assert simulator.world.outcomes == ["decline", "3ds"]
    assert [fault["drop_after_execute"] for fault in simulator.faults()] == [True]
    assert (plan.duplicate, plan.reorder, plan.delay_seconds) == (1, True, 30.0)
    _next(running, "normal")
    assert (simulator.world.outcomes, simulator.faults(), plan.paused) == ([], [], False)


def test_dispute_without_a_payment_is_told(running: tuple[str, Simulator]) -> None:
    with pytest.raises(CommandError, match="Nothing was paid yet"):
        _next(running, "dispute")


def test_nobody_on_the_port_is_told() -> None:
    with pytest.raises(CommandError, match="Nothing listens"):
        call_command("simulate", "stripe", port=9, next=["decline"])


def test_page_names_every_behaviour() -> None:
    assert [name for name in BEHAVIOURS if f"`{name}`" not in DOCS] == []


def test_command_runs_until_it_is_told_to_end() -> None:
    environment = {**os.environ, "DEBUG": "1", "BACKGROUND": "manual"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "simulate", "paypal", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "listens on" in line).split()[4].rstrip(";")
        try:
            assert requests.get(f"{url}/_sim/state", timeout=5).json()["captured"] == {}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
