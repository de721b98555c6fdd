PYTHONS := python3.13 python3.12 python3.11 python3 python
BIN     := .venv/bin
READY   := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup test lint types format test-newest test-lowest test-local test-slow eval-local bench bench-peers demo lock clean

help:  ## list the targets
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv with the pinned development packages (other targets do this themselves)

# A candidate has to run, not just exist: version managers leave launchers behind for versions that are switched off.
# The lock is its own constraints: else pip 23.2, which comes with Python 3.11, does not see that `langsmith==…` there is also
# the version of the `langsmith[otel]` that one of the packages needs, and refuses what has no hash.
define make_venv
@for python in $(PYTHONS); do \
    if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
        echo "setting up $(@D) with $$($$python --version)"; \
        exec $$python -m venv --clear $(@D); \
    fi; \
done; \
echo "no Python >= 3.11 with venv and ensurepip among: $(PYTHONS)" >&2; exit 1
$(@D)/bin/python -m pip install --quiet --require-hashes -r requirements-dev.txt -c requirements-dev.txt
endef

$(READY): requirements-dev.txt pyproject.toml
	$(make_venv)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

test: lint types  ## lint, types and tests
	$(BIN)/pytest -n auto

lint: $(READY)  ## ruff: rules and formatting; import-linter: the floors in .importlinter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

format: $(READY)  ## format, and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-newest:  ## tests with the newest LangGraph, LangChain and Monty that pyproject.toml allows

test-lowest:  ## tests with the lowest of them

# What else is pinned moves only where the versions of these need it.
test-newest test-lowest: test-%: .venv-%/.ready
	.venv-$*/bin/python -m tests.versions $* > .venv-$*/versions.txt
	.venv-$*/bin/python -m pip install --quiet --no-build-isolation --upgrade --requirement .venv-$*/versions.txt \
	    --editable '.[dev,openai,local]'
	.venv-$*/bin/pytest -n auto

.venv-newest/.ready .venv-lowest/.ready: requirements-dev.txt pyproject.toml
	$(make_venv)
	@touch $@

test-local: $(READY)  ## tests with the local model (about 1.1 GB, fetched once)
	$(BIN)/pytest -m local_model

test-slow: $(READY)  ## tests that take long
	$(BIN)/pytest -m slow

eval-local: $(READY)  ## the local model on held-out questions, as an RLM and plainly
	$(BIN)/python -m benchmarks.eval_local

bench: $(READY)  ## benchmarks without a model
	$(BIN)/python -m benchmarks

bench-peers: $(READY)  ## the same benchmarks for rlms, pyrlm-runtime and dspy.RLM, side by side (Python >= 3.12)
	$(BIN)/python -m benchmarks.peers

demo: $(READY)  ## a run to look at
	$(BIN)/langgraph-rlm demo

lock: $(READY)  ## pin the newest development packages that pyproject.toml allows
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	    --extra dev --extra openai --extra local --output-file requirements-dev.txt pyproject.toml

clean:  ## remove the environments and caches
	rm -rf .venv .venv-newest .venv-lowest .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
