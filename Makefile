# make study   sets up and studies examples/paint; make test   sets up and passes the tests
PYTHON ?= python3
BIN := .venv/bin
# Four workers: fewer would hold more compiled programs each than Linux has memory maps for one process (65,530), and
# XLA crashes there. PYTEST="-n0 -k name" runs some tests in one process.
PYTEST ?= -n 4

.PHONY: study test check format clean

study: .venv/ready
	$(BIN)/landform study examples/paint/trials.csv --out out/paint

test: .venv/ready
	$(BIN)/python -m pytest $(PYTEST)

check: .venv/ready
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready
	$(BIN)/ruff check --fix src tests benchmarks
	$(BIN)/ruff format src tests benchmarks

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[plot,dev]"
	touch $@

clean:
	rm -rf .venv out
