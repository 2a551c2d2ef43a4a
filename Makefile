# Two commands matter to a newcomer: `make demo` and `make test`. Both set up everything they need.

SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
# The first interpreter that runs and is 3.11 or 3.12 (plyvel has no wheel for later ones).
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& { echo $$p; break; }; done)

# Container tests are part of the suite where an engine answers; `make test CONTAINERS=no` leaves them out.
CONTAINERS ?= $(shell docker info >/dev/null 2>&1 && echo yes || echo no)

# How many processes share the tests, by itself one more than cores; `make test WORKERS=0` runs them in one, in order.
WORKERS ?= auto

DOCS      ?= .docs
SBOM      ?= dist/khazana.cdx.json
SBOM_TOOL  = $(shell sed -n 's/^sbom = \["\(.*\)"\]$$/\1/p' pyproject.toml)

# Where the environment forbids it to keep what it has compiled, every process of a node or of a test compiles it again: a
# third of its start. `make setup` compiles everything beforehand, on all cores, where pip takes one after the other; what
# is edited afterwards is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test soak fuzz test-docker lint format types contracts check docs lock sbom clean

help:            ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready  ## virtual environment with locked dependencies

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or 3.12 with venv found (Debian: apt-get install python3-venv); or say 'make PYTHON=/path/to/python3.12 ...'" >&2; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib node consensus
	@touch $@

demo: setup      ## the main job: four institutions sell, settle and prove a treasury bill
	@$(BIN)/khazana demo $(ARGS)

test: setup      ## the whole default suite, on all cores (tests/README.md)
ifeq ($(CONTAINERS),yes)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)
else
	@echo "container tests left out: no container engine answers, or CONTAINERS=no"
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not docker" $(ARGS)
endif

docs: setup      ## the reference documentation, into .docs or DOCS=FOLDER (Sphinx)
	@$(BIN)/python -c 'import furo, myst_parser, sphinx' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $$(sed -n 's/^docs = \["\(.*\)"\]$$/\1/p' pyproject.toml | sed 's/", "/ /g')
	@$(BIN)/python -m sphinx -q -W --keep-going -j auto -c node/docs -b html . $(DOCS)
	@echo "open $(DOCS)/node/docs/index.html"

test-docker: setup ## the tests that need a container engine
	@$(BIN)/python -m pytest -m docker $(ARGS)

soak: setup      ## simulate whole networks from fresh seeds, for ten minutes or ARGS='--minutes N'
	@$(BIN)/python -m tests.sim.soak $(or $(ARGS),--minutes 10)

fuzz: setup      ## spoil a million inputs of every decoder, or as ARGS say (tests/fuzz/README.md)
	@$(BIN)/python -m tests.fuzz $(or $(ARGS),--all --structured)

lint: setup      ## ruff: rules and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: setup    ## ruff: rewrite
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: setup     ## mypy, strict
	@$(BIN)/mypy

contracts: setup ## import-linter: which room may import which
	@$(BIN)/lint-imports

check: lint types contracts  ## everything static

lock: setup      ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml --extra postgres --extra nats -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	echo hatchling | uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q - -c requirements-dev.lock -o docker/backend.lock

sbom: setup      ## the software bill of materials, CycloneDX, of what a node is made of
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(SBOM_TOOL)
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --sv 1.6 --of JSON -o $(SBOM)
	@$(BIN)/python docker/name_licences.py $(SBOM)

clean:           ## remove the virtual environment and caches
	rm -rf $(VENV) .docs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
