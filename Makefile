# Everything runs in .venv, made with plain venv and pip. An environment is installed once for each
# set of extras, and again when pyproject.toml changes.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo notebooks test test-all course docs lint types bench ops clean

help:
	@echo "make demo      train a digit classifier and draw the graph its gradient ran through"
	@echo "make notebooks the course, in JupyterLab"
	@echo "make test      the test suite, without PyTorch and JAX"
	@echo "make test-all  everything: also the comparisons with PyTorch and JAX, and the slow tests"
	@echo "make docs      the documentation site, in build/docs"
	@echo "make lint      ruff"
	@echo "make types     mypy"
	@echo "make bench     training steps beside all peers in one run, then parts of the engine (makes two environments)"
	@echo "make course    runs the notebooks anew and stores their outputs"
	@echo "make ops       checks every op and prints the table: value, gradients, jax"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Glassgrad needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[$*]'
	@touch $@

demo: .venv/.installed-demo
	$(BIN)/python examples/digits.py

notebooks: .venv/.installed-notebooks
	$(BIN)/jupyter lab notebooks

test: .venv/.installed-test
	$(BIN)/python -m pytest

test-all: .venv/.installed-dev
	$(BIN)/python -m pytest --all

docs: .venv/.installed-docs
	$(BIN)/python -m sphinx -b html -W --keep-going -j 2 -d build/doctrees docs build/docs

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-dev
	$(BIN)/mypy

bench: .venv-bench/.installed .venv-hips/.installed
	.venv-bench/bin/python benchmarks/compare.py --hips .venv-hips/bin/python
	.venv-bench/bin/python benchmarks/engine.py
	.venv-bench/bin/python benchmarks/layers.py
	.venv-bench/bin/python benchmarks/transforms.py --hips .venv-hips/bin/python
	.venv-bench/bin/python benchmarks/optimizers.py

.venv-bench/.installed: pyproject.toml | $(BIN)/python
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --disable-pip-version-check --quiet --editable '.[bench]'
	@touch $@

# HIPS autograd has our import name, so it is kept apart.
.venv-hips/.installed: pyproject.toml | $(BIN)/python
	$(PYTHON) -m venv .venv-hips
	.venv-hips/bin/python -m pip install --disable-pip-version-check --quiet 'autograd==1.9.1'
	@touch $@

course: .venv/.installed-dev
	$(BIN)/python tools/course.py

ops: .venv/.installed-dev
	$(BIN)/python tools/ops_table.py

clean:
	rm -rf .venv .venv-bench .venv-hips out build docs/api docs/course *.egg-info
