# Two commands do everything on a fresh machine: `make run` and `make test`.
# They need python3 (3.11 or later) and use uv when it is there. PY=python3.13 picks another Python.

PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
CONFIG ?=
ARGS ?=

ifdef UV
MAKE_VENV = uv venv --quiet --allow-existing --python $(PY) $(VENV)
INSTALL = VIRTUAL_ENV=$(VENV) uv pip install --quiet
else
MAKE_VENV = $(PY) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help run demo test test-law test-clients test-spec test-boards test-compose check format bench bench-quick locks clean replay test-page test-docs

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.ready ## Serve on 127.0.0.1:8080 (OPENAI_API_KEY: the real upstream; without: simulated)
	$(BIN)/tiergate serve $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

demo: $(VENV)/.ready ## Watch simulated traffic being routed
	$(BIN)/tiergate demo $(ARGS)

test: $(VENV)/.ready-dev ## Run the tests, with branch coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

test-law: $(VENV)/.ready-dev ## Kill gateways and Redis under load, compare every book (about three minutes)
	$(BIN)/python -m pytest -q -s $(or $(ARGS),tests/law/proof_allowance.py tests/law/proof_outage.py)

test-clients: $(VENV)/.ready-dev ## Drive the gateway with the clients people use (Python and Node)
	$(BIN)/python -m tests.clients

test-spec: $(VENV)/.ready-dev ## Ask every operation of OpenAI's specification through the gateway
	$(BIN)/python -m tests.spec

test-boards: $(VENV)/.ready-dev ## Ask every query of every board and alert (needs prometheus, redis, node)
	$(BIN)/python -m tests.boards $(ARGS)

test-compose: $(VENV)/.ready-dev ## Try the compose stack on a Docker Engine (about ten minutes)
	$(BIN)/python -m tests.compose $(ARGS)

test-docs: $(VENV)/.ready-dev ## Run every command of the documents
	$(BIN)/python -m tests.docs

replay: $(VENV)/.ready-dev ## Replay budgets and deadlines beside the usual rules (a few minutes)
	$(BIN)/python -m gateway.learn replay $(ARGS)

test-page: $(VENV)/.ready-dev ## Use the page at /ui in a real browser (needs chromium and node)
	$(BIN)/python -m tests.page

check: $(VENV)/.ready-dev ## Format, lint, types, import floors
	$(BIN)/ruff format --check --quiet gateway tests deploy
	$(BIN)/ruff check --quiet gateway tests deploy
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo >$(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }

format: $(VENV)/.ready-dev ## Format the code
	$(BIN)/ruff format --quiet gateway tests deploy
	$(BIN)/ruff check --quiet --fix gateway tests deploy

bench: $(VENV)/.ready-dev ## Measure against nginx (needs gcc and nginx; about three minutes)
	$(BIN)/python -m tests.bench $(ARGS)

bench-quick: $(VENV)/.ready-dev ## The same in half a minute, less sure
	$(BIN)/python -m tests.bench --quick $(ARGS)

locks: $(VENV)/.ready-dev ## Renew the hashed locks (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 --group dev pyproject.toml -o requirements-dev.lock
	$(BIN)/python -m tests.clients --pins
	printf 'hatchling\neditables\n' | uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 - -o requirements-build.lock

clean: ## Remove what the other targets made
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache build dist

$(VENV)/.ready: requirements.lock requirements-build.lock pyproject.toml hatch_build.py $(wildcard gateway/classify/_*.[ch])
	$(MAKE_VENV)
	$(INSTALL) --require-hashes -r requirements-build.lock -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $@
