# Two commands do everything on a fresh machine with Python 3.11, make and git:
#   make quickstart    the main job: tokenizer, pretraining, benchmark, search, cards, report
#   make test          the tests
# Both make .venv first; running them again is cheap.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
CORPUS ?=
OUTPUT ?= $(if $(CORPUS),quickstart-run-corpus,quickstart-run)
export HF_HUB_OFFLINE ?= 1

.PHONY: docs site quickstart test test-all test-long test-lowest test-lowest-only quickstart-lowest lint types lowest wheel-test format install install-lowest clean

quickstart: $(VENV)/.installed
	$(BIN)/doctobert-hf quickstart $(if $(CORPUS),--corpus $(CORPUS)) --output $(OUTPUT) \
		$(if $(wildcard $(OUTPUT)/resolved_config.yaml),--resume)

test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not long"

test-long: $(VENV)/.installed
	$(BIN)/python -m pytest -m long

# Both in one session: no process waits for the other's last test twice.
test-all: $(VENV)/.installed
	$(BIN)/python -m pytest

# The lowest direct dependencies, which include the Transformers that PyLate 1.6 pins.
test-lowest: test-lowest-only quickstart-lowest

test-lowest-only: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -m "not long or versions"

quickstart-lowest: $(LOWEST)/.installed
	rm -rf $(LOWEST)/quickstart
	$(LOWEST)/bin/doctobert-hf quickstart --output $(LOWEST)/quickstart \
		--phase1-tokens 40000 --phase2-tokens 20000 --retrieval-steps 10 \
		--hidden-size 64 --num-hidden-layers 2

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/.installed
	$(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python scripts/task_pages.py
	$(BIN)/python scripts/notebooks.py

# The documentation, strictly: a broken link or an unreadable docstring is an error.
site: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

wheel-test: $(VENV)/.installed
	PYTHON=$(PYTHON) bash scripts/wheel_test.sh $(BIN)/python

install: $(VENV)/.installed

install-lowest: $(LOWEST)/.installed

# torch goes first and alone: with its exact version there, nothing pulls a newer one, and a machine
# that has a CPU build of it (find-links, extra index) takes that instead of gigabytes of CUDA.
$(VENV)/.installed: pyproject.toml constraints/tested.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=24"
	$(BIN)/python -m pip install -q "torch==$$(sed -n 's/^torch==//p' constraints/tested.txt)"
	$(BIN)/python -m pip install -q -c constraints/tested.txt -e '.[dev,plot]'
	@touch $@

$(LOWEST)/.installed: pyproject.toml constraints/lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install -q --upgrade "pip>=24"
	$(LOWEST)/bin/python -m pip install -q "torch==$$(sed -n 's/^torch==//p' constraints/lowest.txt)"
	$(LOWEST)/bin/python -m pip install -q -c constraints/lowest.txt -e '.[test]'
	@touch $@

# Resolve constraints/lowest.txt anew, after a bound of pyproject.toml has changed.
lowest: $(VENV)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/lowest.sh

clean:
	rm -rf $(VENV) $(LOWEST) dist quickstart-run quickstart-run-corpus
