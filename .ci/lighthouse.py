"""Fail unless Lighthouse gives the shop's pages their marks, on a phone, in production.

Builds a part of the demo in build/lighthouse, serves it by gunicorn as in production, and measures
home, a category and a product. Reports stay there. Needs node, npm, Chromium, and static files that
are collected.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lighthouse"
PACKAGE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST = 95
# Noise of a busy machine only lowers marks, and now and then Chromium dies on Lighthouse.
ATTEMPTS = 5
PRODUCTS = 16
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "commerce.settings",
    "DEBUG": "0",
    "COMMERCE_DEMO": "0",
    "HTTPS": "0",
    "STAFF_SECOND_FACTOR": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
    "BACKGROUND": "manual",
    "REDIS_URL": "",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "DATABASE_URL": f"sqlite:///{BUILD / 'shop.sqlite3'}",
    "MEDIA_ROOT": str(BUILD / "media"),
    "LOG_LEVEL": "ERROR",
    "WEB_WORKERS": "1",
}


def application() -> Any:
    """The shop as gunicorn serves it, and its pictures, which elsewhere a proxy serves."""
    from whitenoise import WhiteNoise

    from commerce.wsgi import application as shop

    return WhiteNoise(shop, root=ENVIRONMENT["MEDIA_ROOT"], prefix="media/", max_age=31_536_000)


def install() -> None:
    """The tool, in build/."""
    BUILD.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--no-save", "--prefix"]
    subprocess.run([*npm, str(BUILD), PACKAGE], check=True)


def build() -> None:
    """A shop with enough products to fill its pages."""
    import django
    from django.core.management import call_command

    django.setup()
    from commerce.demo import catalogue, shop

    (BUILD / "shop.sqlite3").unlink(missing_ok=True)
    shutil.rmtree(BUILD / "media", ignore_errors=True)
    call_command("migrate", verbosity=0)
    with redirect_stdout(io.StringIO()):
        call_command("sync_roles", verbosity=0)
    stores = shop.build_stores()
    shop.build_shipping(stores)
    locations = shop.build_locations(stores)
    shop.build_people()
    for _product in islice(catalogue.build_products(stores, locations), PRODUCTS):
        pass
    catalogue.build_collections()
    call_command("rebuild_listing", verbosity=0)


@contextmanager
def served() -> Iterator[str]:
    """The address of the shop, while it is served."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "docker/gunicorn.conf.py"),
            *("--log-level", "warning", "--pythonpath", ".ci", "--bind", f"127.0.0.1:{port}"),
            "lighthouse:application()",
        ],
        cwd=ROOT,
    )
    try:
        for _ in range(100):
            if server.poll() is None and not socket.socket().connect_ex(("127.0.0.1", port)):
                break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def marks(url: str, report: Path) -> dict[str, int]:
    """What Lighthouse gives a page, of 100; the whole report is kept as JSON."""
    command = ["node", str(BUILD / "node_modules/lighthouse/cli/index.js"), url, "--quiet"]
    command += [f"--only-categories={','.join(CATEGORIES)}", "--output=json"]
    command += [f"--output-path={report}"]
    command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"]
    chrome = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chrome or ""})
    found = json.loads(report.read_text())["categories"]
    return {name: round((found[name]["score"] or 0) * 100) for name in CATEGORIES}


def measure(site: str, name: str, path: str) -> bool:
    """Whether a page has its marks, at the best of a few attempts."""
    best = dict.fromkeys(CATEGORIES, 0)
    for _ in range(ATTEMPTS):
        try:
            got = marks(site + path, BUILD / f"lighthouse-{name}.json")
        except subprocess.CalledProcessError as error:
            print(f"{name:10} {error}", flush=True)
            continue
        best = {category: max(best[category], got[category]) for category in CATEGORIES}
        if min(best.values()) >= LEAST:
            break
    print(f"{name:10}", *(f"{category} {mark}" for category, mark in best.items()), flush=True)
    return min(best.values()) >= LEAST


def main() -> int:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.update(ENVIRONMENT)
    install()
    build()
    from apps.products.models import Product

    product = Product.objects.order_by("pk")[0]
    category = product.categories.all()[0]
    pages = {
        "home": "/",
        "category": f"/categories/{category.slug}/",
        "product": f"/products/{product.slug}/",
    }
    with served() as site:
        good = [measure(site, name, path) for name, path in pages.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
