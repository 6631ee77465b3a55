# One set of commands for a desk and for CI. Everything is installed inside the clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup demo test bench lint format clean

help:
	@echo "make demo    set up, then play a theft end to end on virtual boards (build/demo/)"
	@echo "make test    set up, then lint, type-check and test"
	@echo "make bench   measure, print ratios, write build/bench/"
	@echo "make lint    ruff and pyright only"
	@echo "make clean   remove what was installed and built"

setup:
	@$(PYTHON) tools/setup_clone.py

demo: setup
	@$(BIN)/groundnet sim theft --out build/demo

test: setup
	@$(BIN)/python tools/check.py

bench: setup
	@$(BIN)/python tools/bench.py

lint: setup
	@$(BIN)/python tools/check.py --lint

format: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build tools/pyright/node_modules host/groundnet/sim/interpreter/node_modules
