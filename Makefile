# make demo: install into .venv, answer six questions about a real ECG.   make test: everything CI checks.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Extra arguments for pip, such as --extra-index-url https://download.pytorch.org/whl/cpu (README, "Install").
PIP_ARGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS)
BENCH_OUT ?= runs/bench

.PHONY: help venv demo test fuzz lint bench results docs clean

help:
	@echo "make demo | test | fuzz | lint | bench | results | docs | clean"

venv: $(VENV)/.installed

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The stamps are older than pyproject.toml only when dependencies may have changed.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing ecglm into $(VENV) (torch is the largest part; this happens once)"
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# As many processes as there are cores, 8 at most, of one thread each; a file stays in one of them, with its fixtures.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --maxprocesses 8 --dist loadfile

# Damaged files of every format; make test reads 20,000 of each, for 20 seconds at most.
FUZZ ?= 200000
fuzz: $(VENV)/.installed-dev
	ECGLM_FUZZ=$(FUZZ) $(BIN)/pytest -s tests/records/test_fuzz.py

bench: $(VENV)/.installed
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# Regenerate docs/results.md from the committed weights.
results: $(VENV)/.installed
	$(BIN)/ecglm bench run ecgqa-ptbxl findings-ptbxl findings-ludb findings-challenge2021 \
		simulate-realism simulate-transfer simulate-transfer-ludb delineation beats rhythm rhythm-spans reversal intervals report-ptbxl dialogue-refutation \
		fewshot fewshot-language knowledge ecgbench-pulse-ptbxl ecgbench-pulse-ptbxl-pages digitize findings-pages report-narrative retrieval-ptbxl zeroshot-ptbxl \
		forecast-simulated forecast-afpdb monitor comparison strips statistics vision camel camel-stages camel-parts camel-masks --out $(BENCH_OUT)
	$(BIN)/python -m ecglm.bench.report docs/results.md $(BENCH_OUT)/*/results.json

# Rewrite what is written by code in docs: commands, distortions, pages read back (tests compare them).
docs: $(VENV)/.installed
	$(BIN)/python docs/write_cli.py
	$(BIN)/python docs/write_distortions.py
	$(BIN)/python docs/write_read_back.py

clean:
	rm -rf demo_out .mypy_cache .ruff_cache .pytest_cache .hypothesis
