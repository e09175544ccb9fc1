# Every target sets up what it needs: a machine with Python 3.11+, make and git is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("WTB needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: demo
demo: $(READY) ## Start everything, run the example's variant matrix, print the verdict, stop everything.
	@$(BIN)/wtb demo $(if $(KEEP),--keep)

.PHONY: test
test: $(READY) ## Run all tests, on real Postgres, Redis, Celery, Ray and LangGraph.
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadgroup

.PHONY: check
check: $(READY) ## Check format, lint, types and the direction of imports.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(READY) ## Measure the saver alone and the whole way of a run, side by side with bare LangGraph.
	@$(BIN)/python benchmarks/saver.py
	@$(BIN)/python benchmarks/throughput.py

.PHONY: bench-prefixes
bench-prefixes: $(READY) ## Measure what shared prefixes spare a variant matrix.
	@$(BIN)/python benchmarks/prefixes.py

.PHONY: bench-streams
bench-streams: $(READY) ## Measure what 1,000 idle readers of event streams cost one API process.
	@$(BIN)/python benchmarks/idle_streams.py

.PHONY: bench-files
bench-files: $(READY) ## Measure what workspaces and snapshots of unchanged files cost.
	@$(BIN)/python benchmarks/files.py

.PHONY: calibrate
calibrate: $(READY) ## Simulate what the verdicts promise, and renew the tables in docs/statistics.md.
	@$(BIN)/python benchmarks/calibration.py --markdown docs/statistics.md

.PHONY: up
up: $(READY) ## Start the local stack for the langgraph.json in this folder, until Ctrl-C.
	@$(BIN)/wtb up

.PHONY: down
down: $(READY) ## End the local stack.
	@$(BIN)/wtb down

.PHONY: fmt
fmt: $(READY) ## Format the code and mend what the linter can mend.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: migrate
migrate: $(READY) ## Bring the database named by WTB_DATABASE_URL to the newest schema.
	@$(BIN)/wtb db upgrade

.PHONY: revision
revision: $(READY) ## Draft a migration from the tables: make revision NAME="what changes".
	@test -n "$(NAME)" || { echo 'say what changes: make revision NAME="add a column"'; exit 2; }
	@$(BIN)/alembic revision --autogenerate --message "$(NAME)"

.PHONY: lock
lock: $(READY) ## Pin the newest packages that pyproject.toml allows, by version and hash.
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file requirements.lock
