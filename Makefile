# Every target sets up what it needs in .venv, once: again only after requirements.lock or pyproject.toml changed.
# `make VENV=/elsewhere …` uses another environment, `make PYTHON=python3.12 …` another Python.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

VENV ?= .venv
PYTHON ?= python3
PORT ?= 3000
WORKERS ?= 2
TRIALS ?= 60
RUNS ?= 5

BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Dagster wants an absolute path. Tests make homes of their own.
demo up bench: export DAGSTER_HOME := $(CURDIR)/dagster_home

.PHONY: help demo up test lint format bench torture lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, not %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Collect, clean, check, publish, release and use real flight data
	$(BIN)/python -m pipelines.demo

up: $(READY) ## Open the Dagster UI on the same project
	$(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port $(PORT)

test: lint ## Lint, then run every test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(PYTEST)

lint: $(READY) ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code, and fix what Ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure the demo, a guarded step, and validation beside other tools
	$(BIN)/python -m benchmarks

torture: $(READY) ## Kill the guarded step TRIALS times and `ecluse run` RUNS times, and prove that nothing was lost
	$(BIN)/python -m benchmarks.torture --trials $(TRIALS)
	$(BIN)/python -m benchmarks.torture_run --trials $(RUNS)

lock: ## Choose the newest versions that fit, and write requirements.lock (needs uv)
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --extra dagster --extra gx --extra polars --extra postgres \
	    --group project --group test --group build --output-file requirements.new $(UPGRADE)
	{ grep '^#' requirements.lock; \
	  sed -E "s/ (;|and) \(?sys_platform == 'darwin' or sys_platform == 'linux'\)?//" requirements.new; } > requirements.both
	rm requirements.new && mv requirements.both requirements.lock

clean: ## Remove the environment, and everything that runs left behind
	rm -rf $(VENV) .ecluse dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find dagster_home -mindepth 1 -not -name dagster.yaml -not -name README.md -delete
	rm -rf lineage/events inbox reports
