from apps.integrations.services.customers import export_customers
from apps.integrations.services.exporting import export_products
from apps.integrations.services.jobs import (
    MAX_FILE_BYTES,
    FileTooLarge,
    ImportBusy,
    ImportOptions,
    create_job,
    delete_job,
    find_or_create_job,
    start_import,
)
from apps.integrations.services.running import COUNTS, run_job

__all__ = [
    "COUNTS",
    "MAX_FILE_BYTES",
    "FileTooLarge",
    "ImportBusy",
    "ImportOptions",
    "create_job",
    "delete_job",
    "export_customers",
    "export_products",
    "find_or_create_job",
    "run_job",
    "start_import",
]
