# `make` lists the targets. Everything runs in .venv, which `make setup` makes from requirements.lock.
SHELL := /bin/bash
PYTHON := .venv/bin/python
FIKARUM := ./fikarum
# Test runs side by side, each on engines of its own (1.5 GB, with what it tests up to 4); 0: one run. Two where there is room for
# them: half the time. A package of tests is never shared between them.
WORKERS ?= $(shell [ "$$(nproc)" -ge 2 ] && awk '/^MemAvailable/ { exit $$2 < 8000000 }' /proc/meminfo && echo 2 || echo 0)
LOCKED := --generate-hashes --no-annotate --no-header --python-version 3.11 --quiet
UPGRADE := --upgrade
# What runs on engines in containers too: the semantics of store, relay and views, and the search index.
ON_CONTAINERS := infra/engines/tests/test_source.py shared/tests/test_append.py shared/tests/test_views.py \
	shared/tests/test_topics.py services/search/tests/test_languages.py
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup up down status demo check contracts lock test test-containers chaos mutations bench assets clean

##@ The platform (its data, logs and ports are in FIKARUM_HOME, .fikarum by default)

up: setup assets ## Set everything up, start it, say where to sign in (ARGS=--no-demo: no made-up company)
	@$(FIKARUM) up $(ARGS)

down: setup ## Stop it, keeping its data
	@$(FIKARUM) down

status: setup ## Show addresses, states and memory of every part
	@$(FIKARUM) status

demo: setup ## Show the seeded sign-ins
	@$(FIKARUM) demo

##@ Work on it

setup: ## Make .venv from requirements.lock (quick when nothing changed)
	@infra/setup.sh

check: setup ## Lint, format, types, import rules, contracts, translations: under a minute
	@$(PYTHON) -m infra.checks

test: setup assets ## Every test but the long ones, on real engines
	@$(PYTHON) -m infra.checks.chromium
	@$(PYTHON) -m infra.engines install
	@$(PYTHON) -m pytest -m "not chaos and not slow and not containers" -n $(WORKERS) $(ARGS) $(if $(STATUS),; echo $$? > $(STATUS))

test-containers: setup ## The compose file whole, with a story through it, and engine tests on containers
	@$(PYTHON) -m infra.containers check
	@$(PYTHON) -m infra.engines install
	@$(PYTHON) -m pytest -m containers infra/containers $(ARGS)
	@FIKARUM_TEST_SOURCE=containers $(PYTHON) -m pytest $(ON_CONTAINERS) $(ARGS)

chaos: setup assets ## The long tests: kills, pauses and races for minutes
	@$(PYTHON) -m infra.engines install
	@$(PYTHON) -m pytest -m "(chaos or slow) and not containers" $(ARGS)

mutations: setup ## Take each protection away and see its test fail: half an hour (ARGS=name: only that)
	@$(PYTHON) -m infra.engines install
	@$(PYTHON) -m shared.tests.mutations $(ARGS)

bench: setup assets ## Measure what the README claims; a table and JSON
	@$(PYTHON) -m benchmarks $(ARGS)

contracts: setup ## Write schemas, examples and AsyncAPI from the event classes
	@$(PYTHON) -m infra.contracts write

assets: setup ## Build the interface's style sheet and script, and bring what tests validate with
	@$(PYTHON) -m services.gateway.assets build
	@$(PYTHON) -m infra.contracts.specification

lock: setup ## Resolve the packages of pyproject.toml anew, with hashes (UPGRADE= only adds what is new)
	@uv pip compile pyproject.toml --group engines --group assets --group dev $(LOCKED) $(UPGRADE) -o requirements.lock
	@uv pip compile pyproject.toml --constraint requirements.lock $(LOCKED) --upgrade -o infra/services.lock
	@infra/setup.sh

clean: ## Remove caches and what was built; data and .venv stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis services/gateway/static/dist
	@find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -r {} +

help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
