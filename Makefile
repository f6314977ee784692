# Two commands: `make lab` opens the laboratory, `make test` proves it. CONTRIBUTING.md says what each target proves.
.PHONY: lab test setup check unit doctest pythons notebooks browser bench
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin

lab: setup
	$(BIN)/workbench lab $(LAB_ARGS)

test: check unit doctest notebooks browser pythons

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q -U pip
	$(BIN)/pip install -q -e '.[all]' -c constraints.txt
	$(BIN)/workbench warm && touch $@

check: setup
	$(BIN)/ruff check && $(BIN)/ruff format --check
	$(BIN)/mypy && $(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -n 2 -m 'not browser' --ignore tests/otlp/codec/test_fuzz.py
	$(BIN)/pytest -q tests/otlp/codec/test_fuzz.py

doctest: setup
	$(BIN)/pytest -q --doctest-modules workbench

notebooks: setup
	$(BIN)/pytest -q -n 2 --dist loadfile --nbval notebooks
	$(BIN)/pytest -q -n 2 --dist loadfile -p no:workbench --nbval notebooks

browser: setup
	$(BIN)/pytest -m browser

pythons: setup
	others=$$($(BIN)/python -c "import sys; print(*{'3.11', '3.12', '3.13'} - {'%d.%d' % sys.version_info[:2]}, sep=',')"); \
	PATH="$$PATH:$$(ls -d "$$(pyenv root 2>/dev/null)"/versions/3.1[1-3]*/bin 2>/dev/null | paste -sd:)" $(BIN)/tox run-parallel -p 2 -e $$others

bench: setup
	for script in tests/benchmarks/*.py; do $(BIN)/python $$script; done
