"""What an export of orders costs: seconds and memory, beside one of no order at all.

`DATABASE_URL` names an empty database: `python -m benchmarks.exports --orders 50000`. The search by
words is measured with it, as it needs the same orders.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nothing.csv", ("--filter=status=cancelled",)),
    ("orders.csv", ()),
    ("lines.csv", ("--rows=lines",)),
    ("orders.xlsx", ()),
    ("lines.xlsx", ("--rows=lines",)),
)


def main() -> None:
    """Small itself: a child's peak begins with what its parent had in memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=50_000)
    wanted: int = parser.parse_args().orders
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce.settings")
    _python("manage.py", "migrate", "--verbosity=0")
    _call(f"fill({wanted})")
    for name, extra in FILES:
        _measure(name, extra)
    _call("search()")


def _python(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True)


def _call(what: str) -> None:
    setup = "import django; django.setup(); from benchmarks import orders"
    _python("-c", f"{setup}; orders.{what}")


def _measure(name: str, extra: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        started = time.monotonic()
        words = [sys.executable, "manage.py", "export_orders", str(path), *extra]
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _pid, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        if status:
            raise SystemExit(status)
        seconds, size = time.monotonic() - started, path.stat().st_size / 1e6
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"{name:<12} {seconds:6.1f} s ({cpu:.1f} s CPU) {peak:5.0f} MB, file {size:.1f} MB")


if __name__ == "__main__":
    main()
