# Everything a person does with this checkout. `make` alone lists it.
# Each step leaves a stamp in .venv, so that nothing is done twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
STAMPS := $(VENV)/.stamps
FRONTEND := static/vendor/.stamp
# uv is fast, but knows nothing of a mirror that pip is configured for: then pip does it.
INSTALL = install() { $(BIN)/uv pip install --quiet "$$@" || $(PY) -m pip install --quiet "$$@"; }; install
# Two at a time suits two cores, which is what CI has.
WORKERS ?= 2
TESTS ?= tests

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export UV_NO_PROGRESS := 1
# Trust what the machine trusts: many networks answer with a certificate of their own.
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test proofs check format bench docs lock revision wheel clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMPS)/run $(FRONTEND) ## create .venv with the locked dependencies, and fetch the front-end files
	@:

demo: setup ## start a filled demo on a fresh database, and print how to sign in
	@$(BIN)/reviewqueue demo $(ARGS)

# Compiled once, whatever the shell says, and not by each worker and each command that the tests start.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(STAMPS)/dev $(FRONTEND) $(STAMPS)/browser $(STAMPS)/faketime ## run every test on SQLite, on PostgreSQL and in a browser
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(TESTS) $(ARGS)

# One after the other and with nothing beside, since some are held to their times.
PROOFS := tests/escalation/test_killed_workers.py tests/escalation/test_decisions_at_the_due_time.py \
	tests/escalation/test_year.py tests/items/test_many_claimers.py tests/audit/test_feed_while_writers_stall.py \
	tests/client/test_many.py tests/webhooks/test_proofs.py
proofs: $(STAMPS)/dev $(FRONTEND) ## run the heavy proofs as large as what is promised: ten thousands of items, a year
	@REVIEWQUEUE_TEST_SIZE=full $(BIN)/pytest -s -n 0 $(PROOFS) $(ARGS)

check: $(STAMPS)/dev ## lint, formatting, types and the import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_imports.py

format: $(STAMPS)/dev ## format the code and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench: $(STAMPS)/dev $(FRONTEND) ## measure against the bare handlers, on both databases
	@$(PY) -m bench $(ARGS)

docs: $(STAMPS)/run ## write docs/settings.md from the Settings class
	@$(PY) -m tools.settings_page

lock: $(STAMPS)/bootstrap ## renew requirements/*.txt and package-lock.json
	@$(PY) -m tools.lock

revision: $(STAMPS)/dev ## draft a migration: make revision m="what changes"
	@$(PY) -m tools.revision "$(m)"

wheel: $(STAMPS)/dev $(FRONTEND) ## build the wheel into dist/
	@$(PY) -m build --wheel --no-isolation

clean: ## remove what setup and the tests made; the demo's data goes too
	@rm -rf $(VENV) node_modules static/vendor build dist demo-data test-results
	@rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .schemathesis
	@find reviewqueue tests tools bench migrations -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMPS)/venv: tools/python_check.py
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Install Python 3.11 or newer, or name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) tools/python_check.py
	@test -x $(PY) && $(PY) -c "" 2>/dev/null || { echo "making $(VENV)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/bootstrap: requirements/bootstrap.txt $(STAMPS)/venv
	@$(PY) -m pip install --quiet --require-hashes -r $<
	@touch $@

$(STAMPS)/run: requirements/run.txt pyproject.toml $(STAMPS)/bootstrap
	@echo "installing the locked dependencies"
	@$(INSTALL) --require-hashes -r $<
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/run
	@echo "installing the locked development dependencies"
	@$(INSTALL) --require-hashes -r $<
	@touch $@

$(FRONTEND): package-lock.json .npmrc tools/vendor.py $(STAMPS)/bootstrap
	@$(PY) -m tools.vendor
	@touch $@

$(STAMPS)/browser: tools/browser.py $(STAMPS)/dev
	@$(PY) -m tools.browser
	@touch $@

$(STAMPS)/faketime: tools/faketime.py $(STAMPS)/dev
	@$(PY) -m tools.faketime
	@touch $@
