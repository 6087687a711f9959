from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from apps.integrations.models import ImportJob
from apps.integrations.services import COUNTS, ImportOptions, create_job, export_products, run_job
from apps.inventory.models import Location
from apps.stores.models import Store

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="The real files aren't beside this checkout."
)


@pytest.fixture
def location(db: None) -> Location:
    return Location.objects.create(code="warehouse", name="Warehouse")


@pytest.fixture
def make_job(store: Store, location: Location) -> Callable[..., ImportJob]:
    """`make_job(bytes or text, format, update=…, dry_run=…)`: queued, not run."""

    def make(content: bytes | str, format: str = "shopify", **options: Any) -> ImportJob:
        data = content.encode() if isinstance(content, str) else content
        chosen = ImportOptions(format=format, **{"store": store, **options})
        return create_job(upload=io.BytesIO(data), name="products.csv", options=chosen)

    return make


@pytest.fixture
def run(make_job: Callable[..., ImportJob]) -> Callable[..., ImportJob]:
    """The same, and run to its end."""

    def make_and_run(content: bytes | str, format: str = "shopify", **options: Any) -> ImportJob:
        return run_job(job=make_job(content, format, **options))

    return make_and_run


@pytest.fixture
def exported(store: Store) -> Callable[..., str]:
    """The whole catalogue as a file."""

    def export(format: str = "commerce", of: Store | None = None) -> str:
        return "".join(export_products(format=format, store=of or store))

    return export


def counts(job: ImportJob) -> str:
    """`job`'s counts as the command prints them, without the zeros."""
    names = [name for name in COUNTS["products"] if job.counts[name]]
    return ", ".join(f"{name} {job.counts[name]}" for name in names)


def refused(job: ImportJob) -> list[tuple[str, str, str]]:
    """Line, column and reason of the rows in the error file."""
    if not job.error_file:
        return []
    with job.error_file.open("rb") as file:
        rows = list(csv.reader(io.StringIO(file.read().decode())))
    return [(row[0], row[1], row[2]) for row in rows[1:]]


def dump(*, leave_out: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but those of apps left out."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label not in leave_out and model._meta.managed
    }
