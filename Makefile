# chatgate: the commands of the README. Everything starts from nothing: Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run setup test lint docs bench soak lock clean

run: setup
	$(BIN)/chatgate sandbox --port $(or $(PORT),8080)

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $(STAMP)

# --- tests ----------------------------------------------------------------------------------------------------------

SDKS := $(VENV)/.sdks-ready

test: lint $(SDKS)
	$(BIN)/pytest -n auto

# What cannot live in the environment of the product: older Python generations of the official SDK, Node's, and an
# SMS centre of another codebase.
$(SDKS): $(STAMP) tests/sdk/old_python_1.lock tests/sdk/old_python_3.lock tests/sdk/node/package-lock.json \
  tests/providers/smsc/package-lock.json
	rm -rf $(VENV)/sdk-old-python
	for n in 1 3; do $(PIP) --no-compile --require-hashes --target $(VENV)/sdk-old-python/generation-$$n \
	  -r tests/sdk/old_python_$$n.lock || exit 1; done
	for folder in tests/sdk/node tests/providers/smsc; do \
	  (cd $$folder && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --ignore-scripts) || exit 1; done
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

soak: setup
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)

# --- keeping --------------------------------------------------------------------------------------------------------

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --group dev pyproject.toml -o requirements.lock
	for n in 1 3; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header tests/sdk/old_python_$$n.in -o tests/sdk/old_python_$$n.lock || exit 1; done

clean:
	rm -rf $(VENV) tests/sdk/node/node_modules tests/providers/smsc/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
