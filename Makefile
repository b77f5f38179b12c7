# What everybody needs: make run, make test, make check. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?=
export PORT
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test check bench interop lock format dev browser

help:
	@echo "make run    web and scheduler on http://127.0.0.1:5000, with the demonstration"
	@echo "make test   the whole suite"
	@echo "make check  format, lint, types, import contracts, templates"
	@echo "make bench  the benchmarks; ONLY='crowd history' some of them"
	@echo "make interop  whether calendar programs read the feed as it is meant"
	@echo "make setup  only the virtual environment and .env"

setup: $(VENV)/.runtime .env

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The module venv is missing: install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# Everything of the runtime and what tests and checks need.
$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.runtime

.env:
	@umask 077; printf 'DEMO=1\nSECRET_KEY=%s\n' "$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(32))')" > $@

run: setup
	@$(BIN)/flask --app wsgi db upgrade
	@$(BIN)/flask --app wsgi demo load --if-empty
	@exec $(BIN)/python -m scheduler.run_local

dev: $(VENV)/.dev

browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null \
	|| { command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] && S= || S="sudo -n"; $$S apt-get update -qq && $$S apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; } \
	|| echo "NO BROWSER: install chromium, or the browser tests cannot run" >&2

test: dev browser
	@$(BIN)/python -m pytest -n auto --dist loadgroup

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet booking/templates
	$(BIN)/python -m tests.architecture.templates

bench: dev
	@$(BIN)/python -m tests.bench $(ONLY)

# Fetches calendar programs from PyPI, npm and Debian.
interop: dev
	@$(BIN)/python -m tests.interop

format: dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

# For maintainers: the locks are made by uv and installed by plain pip.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
