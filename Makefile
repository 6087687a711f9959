# `make` alone tells what it can do. Needs Python 3.11 or newer, git and make.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# Further arguments for pytest: make test ARGS="tests/orders -x"
ARGS ?=
# A file for the coverage of the run on SQLite, which does all but races and browsers. Functions are
# never made anew without their probes: looking for them costs more than what is left of them.
COVERAGE ?=
# Workers of the tests: "auto" is one per core.
WORKERS ?= auto
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCAL := DEBUG=1 BACKGROUND=manual

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-sqlite test-postgres test-mariadb lint format bench attack messages requirements clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Build the demo shop (once) and serve it; PORT=8000
	@trap 'exit 0' INT; DEBUG=1 COMMERCE_DEMO=1 LOG_LEVEL=$${LOG_LEVEL:-WARNING} $(BIN)/python manage.py demo --port $(PORT)

demo-reset: ## Throw the demo's data away and start over
	@rm -rf var/commerce.sqlite3 var/commerce.sqlite3-shm var/commerce.sqlite3-wal var/stripe-simulator.json var/media var/private
	@$(MAKE) --no-print-directory demo

test: test-sqlite test-postgres ## Run the tests on SQLite and PostgreSQL (and MariaDB, if TEST_MYSQL_URL names one)
	@if [ -n "$$TEST_MYSQL_URL" ]; then $(MAKE) --no-print-directory test-mariadb; fi

test-sqlite: $(VENV)/.dev ## Run the tests on SQLite, in memory
	TEST_DATABASE=sqlite $(BIN)/python $(if $(COVERAGE),-m slipcover --threshold 1000000000 --json --out $(COVERAGE)) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-postgres: $(VENV)/.dev ## Run them on PostgreSQL: TEST_POSTGRES_URL, else a server of their own from pip
	TEST_DATABASE=postgres $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-mariadb: $(VENV)/.dev ## Run them on MariaDB or MySQL: TEST_MYSQL_URL
	TEST_DATABASE=mariadb $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/.dev ## Check style, types, imports and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure requests per second, memory and queries
	@$(BIN)/python -m benchmarks $(ARGS)

attack: $(VENV)/.dev ## Let sqlmap and schemathesis loose on a running shop; ARGS="--minutes 20"
	@$(BIN)/python -m tests.attacks $(ARGS)

messages: $(VENV)/.runtime ## Collect the texts to translate and compile the catalogues (needs gettext)
	@command -v msgfmt >/dev/null || { echo "gettext is missing. On Debian or Ubuntu: sudo apt install gettext"; exit 1; }
	$(LOCAL) $(BIN)/python manage.py makemessages --locale es --no-location --no-obsolete --ignore var --ignore build --ignore $(VENV)
	$(LOCAL) $(BIN)/python manage.py compilemessages --locale es --ignore $(VENV)

requirements: ## Pin what pyproject.toml asks for (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: https://docs.astral.sh/uv/"; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		pyproject.toml --output-file requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean: ## Remove the virtual environment and what tools have cached
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) isn't one."; \
		echo "If another is installed, name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) can't make virtual environments: its ensurepip module is missing."; \
		echo "On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# The pins are complete, so nothing is left to resolve; installed again only when they changed.
$(VENV)/.runtime: requirements.txt | $(BIN)/pip
	@echo "Installing the packages of requirements.txt"
	@$(PIP) install --no-deps --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/pip
	@echo "Installing the packages of requirements-dev.txt"
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime
