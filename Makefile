# Every target does its own set-up. `make` alone lists them.
# Written for Debian 12 and for macOS; run on Debian 12 only, so untested on macOS.

VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
STATIC  := src/amana/node/static
PYTEST  := $(BIN)/python -m pytest
WEB     := $(shell find web -type f -not -path '*/node_modules/*' -not -name '.*' 2>/dev/null)
SEED    ?= 1
# Where the demo writes its addresses and tokens, for examples/ to read.
READYFILE := demo-data/ready.json
ARGS    ?=

# What does not wait for each other is done side by side: lint beside the web pages' build.
MAKEFLAGS += --jobs=2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-long test-engines test-browser bench simulate lint format \
        docs golden lock clean

help:  ## List the targets, one line each.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

setup: $(READY) $(STATIC)/.built  ## Make .venv with the command amana, and build the web pages.

demo: setup  ## Run everything on loopback with play money (ARGS="--port 8400" and the like).
	$(BIN)/amana demo $(if $(findstring --ready-file,$(ARGS)),,--ready-file $(READYFILE)) $(ARGS)

test: lint setup  ## Run every test this machine can run, in a quarter of an hour.
	AMANA_COVERAGE=1 $(PYTEST) -m "not slow" --numprocesses 3 --dist loadscope \
	    --no-loadscope-reorder $(ARGS)

test-long: setup  ## Run the large sizes and write the result into docs/ (SLICE=1: a quarter of an hour).
	AMANA_LONG=$(if $(SLICE),slice,full) $(PYTEST) -m slow --timeout 7200 $(ARGS)

test-engines: $(READY)  ## Run the ledger's suites on every engine.
	$(PYTEST) tests/ledger -m "not slow" $(ARGS)

test-browser: setup  ## Drive wallet and till in Chromium.
	$(PYTEST) tests/browser -m browser $(ARGS)

bench: setup  ## Measure this machine: a table with its facts, ratios in one run.
	$(BIN)/amana bench $(ARGS)

simulate: $(READY)  ## Run one simulated world with its trace (SEED=1234).
	$(BIN)/amana simulate --seed $(SEED) --trace $(ARGS)

lint: $(READY)  ## Check style, format, types and the import contracts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## Format the Python sources and mend what can be mended by rule.
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

docs: $(READY)  ## Write the generated reference pages.
	$(BIN)/python docs/generate.py

golden: $(READY)  ## Write the golden files anew; the difference is for the reviewer.
	$(PYTEST) -m golden --write-golden

lock: $(READY)  ## Resolve the dependencies anew and lock them with hashes.
	$(call compile,requirements.txt)
	$(call compile,requirements-dev.txt,--extra test --extra build)

clean:  ## Remove everything that was made, but not the demo's data.
	rm -rf $(VENV) $(STATIC) web/node_modules build dist src/amana.egg-info .coverage \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

# A lock names versions and hashes, and no place to fetch them from.
define compile
$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
    $(2) --output-file $(1) pyproject.toml
@sed -i.old "/^# The following packages/d" $(1) && rm $(1).old
endef

$(READY): requirements-dev.txt pyproject.toml
	@$(FIND_PYTHON); "$$python" -m venv --help >/dev/null 2>&1 && \
	  "$$python" -c 'import ensurepip' 2>/dev/null || { \
	    echo "Python's venv module is missing. On Debian: apt install python3-venv" >&2; exit 1; }; \
	  test -x $(BIN)/python || "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	    --no-build-isolation --editable .
	@touch $@

FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	  done; \
	  test -n "$$python" || { \
	    echo "Python 3.11 or later is needed. On Debian 12: apt install python3 python3-venv" >&2; \
	    exit 1; }

$(STATIC)/.built: $(READY) $(WEB)
	@test ! -x web/build.sh || PATH="$(CURDIR)/$(BIN):$$PATH" web/build.sh
	@mkdir -p $(STATIC) && touch $@
