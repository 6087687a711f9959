"""What one run found out: a table for people, and figures for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import Measured

RESULTS = Path(__file__).parent / "results" / "latest.json"
STARTED = time.perf_counter()


def note(text: str) -> None:
    """A line of progress."""
    print(f"[{time.perf_counter() - STARTED:5.0f} s] {text}", file=sys.stderr, flush=True)


@dataclass
class Report:
    """Rates are a second, times milliseconds, memory is in MB."""

    about: dict[str, Any] = field(default_factory=dict)
    # One before each workload and one after the last.
    hello: list[Measured] = field(default_factory=list)
    workloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    contended: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    # Of CPU, in one process: not to be held against hello's rate.
    sums: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(
        self, name: str, workload: Callable[[], Measured], hello: Callable[[], Measured]
    ) -> None:
        """Measure a workload between two hello-worlds: its ratio is that to their mean.

        A shared machine's speed changes from one half minute to the next, for both alike.
        """
        if not self.hello:
            self.hello.append(hello())
        measured = workload()
        self.hello.append(hello())
        beside = (self.hello[-2].rps + self.hello[-1].rps) / 2
        ratio = measured.rps / beside
        self.workloads[name] = {
            **asdict(measured),
            "rps": round(measured.rps, 1),
            "ratio": round(ratio, 4),
            "hello_rps": round(beside, 1),
        }
        note(f"{name}: {measured.rps:.1f}/s, x {ratio:.3f}, {measured.errors} errors")

    def as_json(self) -> dict[str, Any]:
        """The workloads by their names, each with `rps`, `ratio`, `p50_ms`, `p99_ms`, `queries`."""
        hello = {
            name: round(median(getattr(one, name) for one in self.hello), 2)
            for name in ("rps", "p50_ms", "p99_ms")
        }
        return {
            "hello": hello,
            **self.workloads,
            "contended": self.contended,
            "rss_mb": self.figures.get("memory at rest", {}).get("rss_mb_of_a_worker"),
            "products": self.about["products"],
            "quotes": self.sums,
            "figures": self.figures,
            "about": self.about,
        }

    def keep(self) -> None:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(self.as_json(), indent=2) + "\n")

    def table(self) -> str:
        """The figures as Markdown, as docs/performance.md shows them."""
        lines = [
            "| workload | per second | hello beside | × hello | p50 ms | p99 ms | errors | SQL |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        lines += [_row(name, row) for name, row in self.workloads.items()]
        if self.contended:
            told = ", ".join(f"{count} {name}" for name, count in self.contended.items())
            lines += ["", f"Contended: {told}."]
        if self.sums:
            lines += ["", "| sum | CPU ms, median | p99 | SQL |", "|---|---:|---:|---:|"]
        lines += [
            f"| {name} | {row['median']} | {row['p99']} | {row['statements']} |"
            for name, row in self.sums.items()
        ]
        lines += ["", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.figures.items()]
        lines += ["", ", ".join(f"{name} {value}" for name, value in self.about.items())]
        return "\n".join(lines)


def _row(name: str, row: dict[str, Any]) -> str:
    told = row.get("queries", "")
    told = f"{sum(told)} ({' + '.join(map(str, told))})" if isinstance(told, list) else told
    return (
        f"| {name} | {row['rps']:,.1f} | {row['hello_rps']:,.0f} | {row['ratio']:.3f}"
        f" | {row['p50_ms']:,.1f}"
        f" | {row['p99_ms']:,.1f} | {row['errors']} | {told} |"
    )
