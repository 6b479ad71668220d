# Two commands do everything on a fresh machine with Python 3.11, make and git:
#   make quickstart    the main job: tokenizer, pretraining, benchmark, search, cards, report
#   make test          the tests
# Both make .venv first; running them again is cheap.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
CORPUS ?=
OUTPUT ?= $(if $(CORPUS),quickstart-run-corpus,quickstart-run)
export HF_HUB_OFFLINE ?= 1

.PHONY: docs quickstart test test-long test-fast test-oldest lint types wheel-test format install clean

quickstart: $(VENV)/.installed
	$(BIN)/doctobert-hf quickstart $(if $(CORPUS),--corpus $(CORPUS)) --output $(OUTPUT) \
		$(if $(wildcard $(OUTPUT)/resolved_config.yaml),--resume)

test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not long"

test-long: $(VENV)/.installed
	$(BIN)/python -m pytest -m long

test-fast: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not slow and not long"

test-oldest: $(OLDEST)/.installed
	$(OLDEST)/bin/python -m pytest -m "not slow and not long"

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

wheel-test: $(VENV)/.installed
	PYTHON=$(PYTHON) bash scripts/wheel_test.sh $(BIN)/python

install: $(VENV)/.installed

# torch goes first and alone: with its exact version there, nothing pulls a newer one, and a machine
# that has a CPU build of it (find-links, extra index) takes that instead of gigabytes of CUDA.
$(VENV)/.installed: pyproject.toml constraints/tested.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=24"
	$(BIN)/python -m pip install -q "torch==$$(sed -n 's/^torch==//p' constraints/tested.txt)"
	$(BIN)/python -m pip install -q -c constraints/tested.txt -e '.[dev,plot]'
	@touch $@

$(OLDEST)/.installed: pyproject.toml constraints/oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install -q --upgrade "pip>=24"
	$(OLDEST)/bin/python -m pip install -q "torch==$$(sed -n 's/^torch==//p' constraints/oldest.txt)"
	$(OLDEST)/bin/python -m pip install -q -c constraints/oldest.txt -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) $(OLDEST) dist quickstart-run quickstart-run-corpus
