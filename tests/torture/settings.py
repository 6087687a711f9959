"""The production settings, for servers that these tests start."""

import os

from commerce.settings import *
from commerce.settings import INSTALLED_APPS

# The tests' stores come and go faster than the process forgets them.
SHORT_CACHES = False
READY_BYTES_MB = 0
if os.environ.get("UNGUARDED"):
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.torture.unguarded.Unguarded"]
