"""Build a shop, put load on it, print a table, keep the figures in results/latest.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psycopg

from apps.payments.gateways.stripe.simulator.simulator import StripeSimulator
from benchmarks import world
from benchmarks.journeys import in_one_call, in_steps, reads
from benchmarks.load import Call, Measured, buyers, client_name, measure, pss_mb, rss_mb
from tests.torture.serving import Server, serving

RESULTS = Path(__file__).parent / "results" / "latest.json"
HELLO = ("--workers=2", "--worker-class=sync", "benchmarks.hello:application")


@dataclass
class Report:
    """Everything that one run found out."""

    about: dict[str, Any] = field(default_factory=dict)
    hello: list[float] = field(default_factory=list)
    workloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    # Of CPU, in one process: not to be held against hello's rate.
    sums: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, measured: Measured) -> None:
        self.workloads[name] = asdict(measured)
        note(f"{name}: {measured.rate:.1f}/s, {measured.errors} errors")

    def close(self) -> None:
        """Every rate as a ratio to the mean of the hello-worlds before and after."""
        hello = sum(self.hello) / len(self.hello)
        for row in self.workloads.values():
            row["ratio"] = round(row["rate"] / hello, 4)
            row["rate"] = round(row["rate"], 1)


def note(text: str) -> None:
    print(f"[{time.perf_counter() - STARTED:5.0f} s] {text}", file=sys.stderr, flush=True)


STARTED = time.perf_counter()


def main() -> None:
    options = _options()
    report = Report(about=_about(options))
    with world.own_database(world.server_url()) as database, _stripe() as stripe:
        os.environ |= {**world.production(database), **stripe}
        if options.only == "quote":
            _only_quotes(report, options)
            return
        _fill(report, database, options.products)
        with serving(os.environ) as server:
            _memory(report, server, "at rest")
            _load(report, server, options)
            _memory(report, server, "after the load")
        _afterwards(report, options.products)
    report.close()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(asdict(report), indent=2) + "\n")
    print(table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=6, help="of each window (6)")
    parser.add_argument("--products", type=int, default=5000, help="in the shop (5000)")
    parser.add_argument("--only", choices=["quote"], help="this part alone; nothing is kept")
    return parser.parse_args()


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "python -m " + " ".join(["benchmarks", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "django": django.get_version(),
        "client": client_name(),
        "products": options.products,
        "seconds": options.seconds,
    }


@contextmanager
def _stripe() -> Iterator[dict[str, str]]:
    """A Stripe of our own, in a process of its own; the settings that lead to it."""
    command = [sys.executable, "-c", _SIMULATOR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip() if process.stdout else ""
        try:
            yield {
                "STRIPE_SECRET_KEY": "sk_test_simulator",
                "STRIPE_API_BASE": url,
                "STRIPE_WEBHOOK_SECRETS": "whsec_bench",
            }
        finally:
            process.terminate()


_SIMULATOR = f"""
import signal
from {StripeSimulator.__module__} import StripeSimulator
with StripeSimulator() as running:
    print(running.url, flush=True)
    signal.pause()
"""


def _only_quotes(report: Report, options: argparse.Namespace) -> None:
    """Quotes in a small shop and in a large one, between two hello-worlds."""
    report.hello.append(_hello(options.seconds))
    _migrate(report)
    for products in (100, options.products):
        _import(report, products)
        _quotes(report, products)
    report.hello.append(_hello(options.seconds))
    report.close()
    print(table(report))


def _quotes(report: Report, products: int) -> None:
    from benchmarks import quote  # noqa: PLC0415 (models need a set-up Django)

    note("quoting")
    if f"{quote.PROMOTIONS} promotions" not in report.figures:
        quote.add_promotions()
        report.figures[f"{quote.PROMOTIONS} promotions"] = "active"
    for name, row in quote.measured(products).items():
        report.sums[name] = asdict(row)
        note(f"{name}: {row.median} ms")


def _fill(report: Report, database: str, products: int) -> None:
    _migrate(report)
    _import(report, products)
    from benchmarks import shop  # noqa: PLC0415 (models need a set-up Django)

    shop.add_pictures()
    note("delivering the events of the import (listings)")
    run = world.manage("relay_outbox")
    report.figures["listing_seconds"] = round(run.seconds, 1)
    with psycopg.connect(database.replace("postgres://", "postgresql://"), autocommit=True) as own:
        own.execute("VACUUM ANALYZE")


def _migrate(report: Report) -> None:
    note("migrating")
    report.figures["migrate_seconds"] = round(world.manage("migrate", "--verbosity=0").seconds, 1)
    django.setup()
    from benchmarks import shop  # noqa: PLC0415 (models need a set-up Django)

    shop.build_shop()


def _import(report: Report, products: int) -> None:
    from benchmarks import shop  # noqa: PLC0415 (models need a set-up Django)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "products.csv"
        world.write_products(path, products)
        note(f"importing {products} products")
        run = world.manage("import_products", str(path), "--format=commerce", "--location=near")
    report.figures["import_seconds"] = round(run.seconds, 1)
    report.figures["import_peak_mb"] = round(run.peak_mb)
    report.figures["import_counts"] = run.said
    note(run.said)
    if not run.said.endswith("refused 0"):
        raise RuntimeError("The file should be good.")
    shop.forget_imports()


def _load(report: Report, server: Server, options: argparse.Namespace) -> None:
    report.hello.append(_hello(options.seconds))
    for name, calls in reads(options.products).items():
        report.add(name, measure(server.port, calls, options.seconds))
    for gateway in ("manual", "stripe"):
        for label, journey in (("three calls", in_steps), ("one call", in_one_call)):
            made = buyers(server.port, journey(options.products, gateway), options.seconds)
            report.add(f"checkout in {label}, {gateway}", made)
    report.hello.append(_hello(options.seconds))


def _hello(seconds: int) -> float:
    with serving(os.environ, arguments=HELLO, ready="/") as server:
        rate = measure(server.port, [Call("GET", "/")], seconds).rate
    note(f"hello: {rate:.0f}/s")
    return round(rate)


def _memory(report: Report, server: Server, when: str) -> None:
    pids = [server.process.pid, *server.workers()]
    report.figures[f"memory {when}"] = {
        "workers": len(pids) - 1,
        "pss_mb_of_all": round(pss_mb(pids)),
        "rss_mb_of_a_worker": round(rss_mb(pids[1:])),
    }


def _afterwards(report: Report, products: int) -> None:
    from benchmarks import statements  # noqa: PLC0415 (models need a set-up Django)

    note("counting statements")
    counts: dict[str, Any] = dict(statements.of_reads(reads(products)))
    for gateway in ("manual", "stripe"):
        steps = in_steps(products, gateway)
        counts[f"checkout in three calls, {gateway}"] = statements.of_journey(steps)
        call = in_one_call(products, gateway)
        counts[f"checkout in one call, {gateway}"] = statements.of_journey(call)
    for name, count in counts.items():
        report.workloads[name]["statements"] = count
    _quotes(report, products)
    note("delivering the events of the orders, then proving the invariants")
    run = world.manage("relay_outbox")
    delivered = int(run.said.split()[0])
    report.figures["events_delivered_per_second"] = round(delivered / run.seconds)
    world.manage("check_invariants")
    report.figures["invariants"] = "hold"


def table(report: Report) -> str:
    """The figures as Markdown, as docs/performance.md shows them."""
    lines = [
        "| workload | per second | × hello | p50 ms | p99 ms | errors | SQL |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    hello = " and ".join(f"{rate:,.0f}" for rate in report.hello)
    lines.append(f"| hello (before and after) | {hello} | 1 | | | | 0 |")
    for name, row in report.workloads.items():
        told = row.get("statements", "")
        told = f"{sum(told)} ({' + '.join(map(str, told))})" if isinstance(told, list) else told
        lines.append(
            f"| {name} | {row['rate']:,.1f} | {row['ratio']:.3f} | {row['p50']:,.1f}"
            f" | {row['p99']:,.1f} | {row['errors']} | {told} |"
        )
    lines += ["", "| sum | CPU ms, median | p99 | SQL |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name} | {row['median']} | {row['p99']} | {row['statements']} |"
        for name, row in report.sums.items()
    ]
    lines += ["", "| figure | value |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {value} |" for name, value in report.figures.items()]
    lines += ["", ", ".join(f"{name} {value}" for name, value in report.about.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
