"""The tests' settings on a database file: for commands that are killed or measured."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, STORAGES

_folder = Path(os.environ["IMPORT_TEST_FOLDER"])
DATABASES["default"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _folder / "db.sqlite3",
    "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
}
STORAGES["private"]["OPTIONS"] = {"location": _folder / "private"}
