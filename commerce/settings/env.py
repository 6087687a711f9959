"""The environment, and where this checkout stands."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]
# Everything the running shop writes: database, media, collected static files.
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env_file = BASE_DIR / ".env"
if env_file.is_file():
    environ.Env.read_env(env_file)

DEBUG = env.bool("DEBUG", False)
# The demo shop: simulated payments, known logins. `check --deploy` refuses it.
DEMO = env.bool("COMMERCE_DEMO", False)
