# chatgate: the commands of the README. Everything starts from nothing: Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run setup test test-tools lint docs bench soak lock clean

run: setup
	$(BIN)/chatgate sandbox

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $(STAMP)

# --- tests ----------------------------------------------------------------------------------------------------------

OLD_PYTHON := $(VENV)/sdk-old-python
NODE_MODULES := tests/sdk/node/node_modules

test: lint test-tools
	$(BIN)/pytest -n 2 --dist loadgroup

test-tools: setup $(OLD_PYTHON)/.ready $(NODE_MODULES)/.ready

$(OLD_PYTHON)/.ready: tests/sdk/old-python.lock $(STAMP)
	rm -rf $(OLD_PYTHON)
	$(PIP) --require-hashes --target $(OLD_PYTHON) -r tests/sdk/old-python.lock
	touch $@

$(NODE_MODULES)/.ready: tests/sdk/node/package-lock.json $(STAMP)
	cd tests/sdk/node && PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: setup
	$(BIN)/python -m tools.generate_docs

bench: setup
	$(BIN)/python -m bench

# --- keeping --------------------------------------------------------------------------------------------------------

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) $(NODE_MODULES) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
