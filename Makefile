# mockchat: `make run` and `make test` set up everything they need.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
ARGS   ?=
# The servers of the tests would compile the package at every start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test unit sdk sdk-matrix android-sdk pythons lint types fmt check coverage fuzz docs site bench bench-scale bench-performance soak dist lock audit security image image-check clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# Twice quiet: errors are shown, what pip or its configuration warns of is not.
PIP = $(BIN)/pip install --quiet --quiet --disable-pip-version-check

$(VENV)/run.stamp: pyproject.toml
	@echo "Setting up $(VENV), once …" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade "pip>=25.1"
	@$(PIP) --editable ".[fast]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@$(PIP) --group dev
	@touch $@

$(VENV)/release.stamp: $(VENV)/dev.stamp
	@$(PIP) --group release
	@touch $@

run: $(VENV)/run.stamp  ## run the server on HTTP 8080 and HTTPS 8443 (ARGS="--port 9000" for more)
	@exec $(BIN)/mockchat serve $(ARGS)

test: $(VENV)/dev.stamp  ## lint, types and every test, the real SDKs among them
	tests/sdk/prepare
	$(MAKE) --no-print-directory lint types unit
	$(BIN)/pytest tests/sdk $(ARGS)

unit: $(VENV)/dev.stamp  ## the Python tests alone
	$(BIN)/pytest --ignore tests/sdk --ignore tests/image --numprocesses auto $(ARGS)

sdk: $(VENV)/dev.stamp  ## the real SDKs alone, in Node and in Chromium
	tests/sdk/prepare
	$(BIN)/pytest tests/sdk $(ARGS)

pythons:  ## the Python tests on every supported Python there is
	@for version in 3.11 3.12 3.13; do \
	  python=$$(.ci/find-python $$version) || { echo "Python $$version: not here, not tested"; continue; }; \
	  echo "Python $$version:"; \
	  $(MAKE) --no-print-directory unit PYTHON=$$python VENV=.venv-$$version ARGS=-q || exit 1; \
	done

sdk-matrix: $(VENV)/dev.stamp  ## every published bundle of the JavaScript SDKs, in Chromium (minutes)
	tests/sdk/prepare
	$(BIN)/python -m tests.sdk.matrix --write docs/sdk-matrix.md

android-sdk: $(VENV)/dev.stamp  ## the vendor's Android SDK on a JVM (SDK=its .aar, or a copy of its repository)
ifdef SDK
	tests/android/prepare
	$(BIN)/python -m tests.android "$(SDK)" $(ARGS)
else
	@echo "android-sdk is skipped: it needs SDK=, an .aar file or a copy of the vendor's chat-sdk-android repository"
endif

lint: $(VENV)/dev.stamp  ## check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp  ## check the types
	$(BIN)/mypy

fmt: $(VENV)/dev.stamp  ## mend the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test security pythons  ## everything that CI runs

# To be measured takes time and imports, which these tests limit.
UNMEASURED = $(addprefix --deselect tests/, \
  test_architecture.py::test_no_import_help_question_or_wrong_usage_loads_anything_heavy \
  test_architecture.py::test_a_start_with_a_ca_loads_nothing_that_only_first_starts_logins_or_state_files_need \
  test_matching.py::test_a_thousand_patterns_take_no_second_for_the_longest_path \
  test_state_disk.py::test_killed_at_any_moment_the_file_is_whole_and_lacks_100_milliseconds_at_most \
  test_turns.py::test_no_action_on_many_users_keeps_others_waiting \
  test_turns.py::test_no_look_at_long_exchanges_or_many_apps_keeps_others_waiting)

coverage: $(VENV)/dev.stamp  ## measure the branches that the Python tests reach (minutes)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --ignore tests/sdk --ignore tests/image $(UNMEASURED) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: $(VENV)/dev.stamp  ## send 50,000 raw requests and 20,000 WebSocket frames (SEED=1)
	$(BIN)/python -W error -m tests.fuzz --seed $(or $(SEED),1) $(ARGS)

docs: $(VENV)/run.stamp  ## write the generated docs anew
	$(BIN)/python -m docs.tables

site: $(VENV)/dev.stamp docs  ## build the documentation site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: $(VENV)/dev.stamp  ## compare with a bare aiohttp application, the fixture with httpserver
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/fixture.py

bench-performance: $(VENV)/run.stamp  ## measure servers with 10 to 1,000,000 users (minutes; ARGS="--users 10,1000" for others)
	$(BIN)/python -m benchmarks.performance $(ARGS)

soak: $(VENV)/run.stamp  ## send 1,000,000 requests and open 10,000 WebSockets; memory must stay flat (minutes)
	$(BIN)/python -m benchmarks.soak $(ARGS)

bench-scale: $(VENV)/run.stamp  ## compare one process with two behind nginx
	$(BIN)/python -m benchmarks.scale

dist: $(VENV)/dev.stamp  ## build sdist and wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

# Every platform and Python in one file, by digest and without the address of an index.
COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --custom-compile-command "make lock"

lock: $(VENV)/release.stamp  ## renew the image's pinned dependencies in locks/
	$(COMPILE) --extra fast --output-file locks/run.txt pyproject.toml
	$(BIN)/python -c 'import tomllib; \
	  print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(COMPILE) --output-file locks/build.txt -

AUDIT = $(BIN)/pip-audit --disable-pip --require-hashes \
  --requirement locks/run.txt --requirement locks/build.txt

audit: $(VENV)/release.stamp  ## ask for known weaknesses of the pinned dependencies (needs the network)
	$(AUDIT) --strict

# An index without advisories is no reason to fail here; it is told, and CI has `audit`.
security: $(VENV)/release.stamp  ## look for weaknesses of the code and of the pinned dependencies
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive mockchat
	$(AUDIT)

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' mockchat/version.py)

image:  ## build the container image, by Docker or a Podman that is called docker
	@# Podman's own image format would lose the HEALTHCHECK.
	BUILDAH_FORMAT=docker docker build --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) \
	  --tag mockchat:$(VERSION) --tag mockchat .

image-check: $(VENV)/dev.stamp  ## build the image and run it, by Docker or Podman
	tests/image/prepare
	$(BIN)/pip install --quiet --group image
	$(BIN)/pytest tests/image -s $(ARGS)

clean:  ## remove what the targets made
	rm -rf .venv .venv-* build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
	  tests/sdk/node_modules tests/sdk/uikit/node_modules tests/sdk/.matrix tests/sdk/.artefacts
