from __future__ import annotations

from apps.integrations.management.commands import import_products


class Command(import_products.Command):
    subject = "customers"
    help = (
        "Import customers with their addresses from a CSV file. Interrupted, it goes on where it"
        " stopped when it is run again with the same file and options."
    )
