# Everything starts from Python 3.11 or later and nothing else: `make demo`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most of what is installed is never imported; Python compiles the rest when it is, if it may.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
unexport PYTHONDONTWRITEBYTECODE

# Tests run side by side, one worker for each core; `make test PYTEST=` runs them one by one.
PYTEST ?= --numprocesses logical --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test pytest lint bench format docs clean

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## Install flowcli into .venv and run it on frames that it renders
	$(BIN)/flowcli demo demo --force
	@echo "Look at demo/panel.png"

test: lint pytest ## Check style and types and run all the tests

pytest: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/installed-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	@# The types of the standard library differ between systems, and so do the branches that are checked.
	printf '%s\n' linux darwin win32 | nice xargs -P 3 -I % $(BIN)/mypy --platform % --cache-dir .mypy_cache/%

bench: $(VENV)/installed-dev ## Measure against the stock module and flow-vis (BENCH=--quick: in two minutes; VIDEO=in.mp4)
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.throughput $(VIDEO)
	$(BIN)/python -m benchmarks.chain $(VIDEO)

format: $(VENV)/installed-dev ## Bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/installed-dev ## Write the reference pages that are made from the code
	$(BIN)/python docs/generate.py

clean: ## Remove everything that was made
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf $(VENV) demo build dist *.egg-info .mypy_cache .import_linter_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "flowcli needs Python 3.11 or later; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/installed $@
