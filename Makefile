# Everything that a newcomer needs: `make serve` and `make test`. `make help` lists the rest.

VENV := .venv
BIN := $(VENV)/bin
# Any interpreter from 3.11 on: `make serve PYTHON=python3.12`. Looked for only when the environment is made.
PYTHON ?= $(firstword $(foreach name,python3.11 python3 python3.12 python3.13 python,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(name))))
# The machine's uv, else the one that pip installs into the environment.
UV = $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)
ARGS ?=
# One more than there are cores: half of the tests wait for PostgreSQL, whose processes work meanwhile.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
UI := ui
HAS_NODE := node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 9) ? 0 : 1)' 2>/dev/null
CHROMIUM ?= /usr/bin/chromium
export CHROMIUM
# The tests of shared rate limits start a Redis of their own; where it is not installed and cannot be, make says so.
REDIS = $(if $(shell command -v redis-server),,redis-server)
# Clients of npm that tests run against a real server; nothing of them is built or run when they are installed.
CLIENTS := tests/clients

export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
# Compiled once when installed: without bytecode a start takes four times as long.
export UV_COMPILE_BYTECODE := 1
unexport VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve migrate test lint format ui ui-types ui-test browser bench-pgvector bench-retrieval bench-compare bench-baselines bench-speed bench-search bench-reindex bench-dashboard bench-crash clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

serve: $(VENV)/.synced ## Install what is missing, build the dashboard, migrate, serve on http://127.0.0.1:8765
	@if $(HAS_NODE); then $(MAKE) --no-print-directory ui || echo "The dashboard could not be built: without it." >&2; \
	else echo "No dashboard: it needs Node 20.9 or newer to be built (https://nodejs.org); then make serve again." >&2; fi
	@exec $(BIN)/commonplace serve $(ARGS)

migrate: $(VENV)/.synced ## Bring the database to the newest schema
	@exec $(BIN)/commonplace migrate $(ARGS)

test: lint $(REDIS) $(CLIENTS)/node_modules/.installed ## Everything: format, lint, types, imports, tests (ARGS="-k word" for some)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)
	@test -n "$(ARGS)" || $(MAKE) --no-print-directory ui-test

lint: $(VENV)/.synced-dev $(UI)/node_modules/.installed ## Check format, lint, types and who imports whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd $(UI) && npm run --silent lint

format: $(VENV)/.synced-dev $(UI)/node_modules/.installed ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format
	@cd $(UI) && npm run --silent format

ui: $(UI)/.built ## Build the dashboard's pages, if they are older than what they are made from

ui-types: $(VENV)/.synced-dev ## Write down the API that the dashboard's types are made from
	@$(BIN)/python -m ui.openapi

ui-test: $(VENV)/.synced-dev $(UI)/.built browser ## The dashboard's tests, in Chromium against a real server
	@cd $(UI) && npm test --silent && npm run --silent e2e

bench-retrieval: bench-%: $(VENV)/.synced-dev ## Is what was said found again (ARGS="--data FILE --base-url URL")
	@$(BIN)/python -m bench.$* $(ARGS)

bench-pgvector: bench-%: $(VENV)/.synced-dev ## Are the nearest found on PostgreSQL, and how soon (ARGS="--size N")
	@$(BIN)/python -m bench.$* $(ARGS)

bench-compare: $(VENV)/.synced-dev ## The tables of docs/benchmarks.md: each leg alone, one owner, mem0's own search
	@$(BIN)/python -m bench.retrieval --modes hybrid,keyword,vector $(ARGS)
	@$(BIN)/python -m bench.retrieval --one-owner $(ARGS)
	@$(BIN)/python -m bench.baselines

bench-baselines: bench-%: $(VENV)/.synced-dev ## mem0's own search over the same data
	@$(BIN)/python -m bench.$* $(ARGS)

bench-speed: bench-%: $(VENV)/.synced-dev ## How fast, beside the floor of the same machine
	@$(BIN)/python -m bench.$* $(ARGS)

bench-search: bench-%: $(VENV)/.synced-dev ## What a search costs beside one embedding
	@$(BIN)/python -m bench.$* $(ARGS)

bench-reindex: bench-%: $(VENV)/.synced-dev ## Making the index again, beside the embedder alone
	@$(BIN)/python -m bench.$* $(ARGS)

bench-dashboard: bench-%: $(VENV)/.synced-dev $(UI)/.built browser ## What a browser measures of the dashboard's pages
	@$(BIN)/python -m bench.$* $(ARGS)

bench-crash: bench-%: $(VENV)/.synced-dev ## Is anything lost when the server is killed
	@$(BIN)/python -m bench.$* $(ARGS)

clean: ## Remove what can be made again; data/ stays
	@rm -rf $(addprefix $(UI)/,node_modules .next out .built screenshots) $(VENV) $(CLIENTS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis dist
	@find api bench tests alembic -type d -name __pycache__ -exec rm -rf {} +

.PHONY: redis-server
redis-server:
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { echo "The tests need Redis: apt install redis-server" >&2; exit 1; }
	@echo "Installing redis-server"
	@apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends redis-server >/dev/null

# The stamps are younger than the lock file when there is nothing to install, which then costs no time. `--inexact`
# keeps one of the two from taking away what the other, or you, installed.
$(VENV)/.synced: uv.lock pyproject.toml
	$(make_venv)
	@$(UV) sync --quiet --frozen --no-dev --inexact
	@touch $@

$(VENV)/.synced-dev: uv.lock pyproject.toml
	$(make_venv)
	@$(UV) sync --quiet --frozen --inexact
	@touch $(VENV)/.synced $@

$(UI)/node_modules/.installed: $(UI)/package-lock.json
	@$(HAS_NODE) || { echo "The dashboard needs Node 20.9 or newer: https://nodejs.org" >&2; exit 1; }
	@echo "Installing what $(UI)/package-lock.json names"
	@cd $(UI) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(UI)/.built: $(UI)/node_modules/.installed $(wildcard $(UI)/*.ts $(UI)/*.mjs $(UI)/*.json) $(shell find $(UI)/src $(UI)/public -type f ! -name 'schema.ts' 2>/dev/null)
	@echo "Building the dashboard"
	@cd $(UI) && npm run --silent build
	@touch $@

# The browser of the tests: Debian's, installed here if this is root.
browser: ## Install Chromium for the browser tests, if it is missing
	@test -x "$(CHROMIUM)" || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { \
			echo "The browser tests need Chromium: apt install chromium, or CHROMIUM=/path/to/it make test" >&2; exit 1; }; \
		echo "Installing Chromium"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

$(CLIENTS)/node_modules/.installed: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

define make_venv
@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make serve PYTHON=/path/to/python" >&2; exit 1; }; \
	echo "Making the environment $(VENV) with $(PYTHON)"; \
	rm -rf $(VENV); \
	if uv --version >/dev/null 2>&1; then uv venv --quiet --python "$(PYTHON)" $(VENV); \
	else "$(PYTHON)" -m venv $(VENV) || { echo "On Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }; fi; }
@uv --version >/dev/null 2>&1 || test -x $(BIN)/uv || { \
	$(BIN)/python -m ensurepip --default-pip >/dev/null && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
@echo "Installing what uv.lock names"
endef
