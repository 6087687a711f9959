"""Build a shop, put load on it, print a table, keep the figures in results/latest.json."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import django
import psycopg

from benchmarks import world
from benchmarks.journeys import in_one_call, in_steps, reads, rush_for
from benchmarks.load import Call, Measured, buyers, measure, pss_mb, rss_mb, rush
from benchmarks.report import Report, note
from tests.torture.edges import varnish
from tests.torture.serving import Server, serving

HELLO = ("--workers=2", "--worker-class=sync", "benchmarks.hello:application")
# What is read from the database each time, and what from the ready bytes.
READS = ("list", "category", "detail", "search", "facets")
CACHED = ("list", "detail")
COLD = {"READY_BYTES_MB": "0"}
# Imported through the app; a larger shop is copied from these.
IMPORTED = 5000
SCARCE, CROWD = 50, 200


def main() -> None:
    options = _options()
    report = Report(about=_about(options))
    with world.own_database(world.server_url()) as database, world.stripe() as stripe:
        os.environ |= {**world.production(database), **stripe}
        if options.only == "quote":
            _only_quotes(report, options)
            return
        _fill(report, database, options.products)
        with _hello(options.seconds) as hello:
            _cold(report, options, hello)
            _cached(report, options, hello)
        if options.only is None:
            _afterwards(report, options.products)
    if options.only is None:
        report.keep()
    print(report.table())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=6, help="of each window (6)")
    parser.add_argument(
        "--products",
        type=int,
        default=int(os.environ.get("BENCH_PRODUCTS", str(IMPORTED))),
        help=f"in the shop ({IMPORTED}, or BENCH_PRODUCTS); a multiple of {IMPORTED}",
    )
    parser.add_argument("--only", choices=["quote", "reads"], help="this part; nothing is kept")
    options = parser.parse_args()
    if options.products % IMPORTED and options.products > IMPORTED:
        parser.error(f"--products must be a multiple of {IMPORTED}")
    return options


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "python -m " + " ".join(["benchmarks", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "django": django.get_version(),
        "redis": bool(os.environ.get("TEST_REDIS_URL")),
        "products": options.products,
        "seconds": options.seconds,
    }


def _only_quotes(report: Report, options: argparse.Namespace) -> None:
    """Quotes in a small shop and in a large one."""
    _migrate(report)
    for products in (100, options.products):
        _import(report, products)
        _quotes(report, products)
    print(report.table())


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
    _import(report, min(products, IMPORTED))
    from benchmarks import catalogue, shop  # noqa: PLC0415 (models need a set-up Django)

    shop.add_pictures()
    note("delivering the events of the import (listings)")
    run = world.manage("relay_outbox")
    report.figures["listing_seconds"] = round(run.seconds, 1)
    address = database.replace("postgres://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as own:
        if products > IMPORTED:
            note(f"copying them until there are {products:,}")
            catalogue.fill(own, products=products)
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


@contextmanager
def _served(more: Mapping[str, str]) -> Iterator[Server]:
    """The production server, with some settings of its own."""
    with serving({**os.environ, **more}) as server:
        yield server


def _cold(report: Report, options: argparse.Namespace, hello: Callable[[], Measured]) -> None:
    """Everything that asks the database; whole checkouts, and a crowd for too few pieces."""
    with _served(COLD) as server:
        _memory(report, server, "at rest")
        calls, seconds = reads(options.products), options.seconds
        for name in READS:
            report.add(f"{name}_cold", partial(measure, server.port, calls[name], seconds), hello)
        if options.only == "reads":
            return
        report.add("cart", partial(measure, server.port, calls["cart"], seconds), hello)
        for gateway, suffix in (("manual", ""), ("stripe", "_stripe")):
            for name, journey in (("checkout", in_one_call), ("checkout_steps", in_steps)):
                orders = partial(buyers, server.port, journey(options.products, gateway), seconds)
                report.add(f"{name}{suffix}", orders, hello)
        _contended(report, server)
        _memory(report, server, "after the load")


def _cached(report: Report, options: argparse.Namespace, hello: Callable[[], Measured]) -> None:
    """What the ready bytes answer, from the server itself and through Varnish."""
    calls, seconds = reads(options.products), options.seconds
    with _served({}) as server:
        for name in CACHED:
            report.add(f"{name}_cached", partial(measure, server.port, calls[name], seconds), hello)
        if not shutil.which("varnishd", path=f"{os.environ['PATH']}:/usr/sbin"):
            note("no varnishd: edge_list isn't measured")
            return
        with tempfile.TemporaryDirectory() as folder, varnish(server, Path(folder)) as edge:
            report.add("edge_list", partial(measure, edge.port, calls["list"], seconds), hello)


def _contended(report: Report, server: Server) -> None:
    """Many buyers at once for fewer pieces: who gets one, and what the others are told."""
    from benchmarks import shop  # noqa: PLC0415 (models need a set-up Django)

    sku = world.skus(0)[0]
    shop.leave_pieces(sku, SCARCE)
    note(f"{CROWD} buyers of {SCARCE} pieces")
    told = rush(server.port, rush_for(sku), CROWD)
    expected = told[201] + told[409]
    report.contended = {
        "orders": told[201],
        "stock": SCARCE,
        "errors": CROWD - expected,
    }


@contextmanager
def _hello(seconds: int) -> Iterator[Callable[[], Measured]]:
    """What measures hello-world, on a server of its own that is idle meanwhile."""
    with serving(os.environ, arguments=HELLO, ready="/") as server:
        yield partial(measure, server.port, [Call("GET", "/")], seconds)


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
    read = statements.of_reads(reads(products))
    counts: dict[str, Any] = {f"{name}_cold": read[name] for name in READS}
    counts |= {**{f"{name}_cached": 0 for name in CACHED}, "edge_list": 0, "cart": read["cart"]}
    for gateway, suffix in (("manual", ""), ("stripe", "_stripe")):
        counts[f"checkout_steps{suffix}"] = statements.of_journey(in_steps(products, gateway))
        counts[f"checkout{suffix}"] = sum(statements.of_journey(in_one_call(products, gateway)))
    for name, count in counts.items():
        if name in report.workloads:
            report.workloads[name]["queries"] = count
    _quotes(report, min(products, IMPORTED))
    note("delivering the events of the orders, then proving the invariants")
    run = world.manage("relay_outbox")
    delivered = int(run.said.split()[0])
    report.figures["events_delivered_per_second"] = round(delivered / run.seconds)
    world.manage("check_invariants")
    report.figures["invariants"] = "hold"


if __name__ == "__main__":
    main()
