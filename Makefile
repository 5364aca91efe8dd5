# Each target does all its own set-up: Python >= 3.11, make and a network are enough.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: report test lab lint bench notebooks demo clean

report: $(READY)            ## Reports for all clients, or for one: make report CLIENT=cdnow
	$(BIN)/perennial report $(CLIENT)

test: $(READY)              ## Linters, types, unit tests, notebooks, and the real command line on shipped clients
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadscope tests
	$(BIN)/pytest -n 2 --dist loadscope --nbval-lax --nbval-current-env notebooks

lab: $(READY)               ## JupyterLab on the chapters
	$(BIN)/jupyter lab --notebook-dir=notebooks

bench: $(READY)             ## Time and memory of what must be fast, printed as tables
	$(BIN)/python -m tests.benchmarks

notebooks: $(READY)         ## Run the committed chapters again on the demo client, in place
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

demo: $(READY)              ## Simulate the demo client again
	$(BIN)/python -m perennial.simulate

clean:                      ## Remove everything that was made, except reports
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "perennial needs Python 3.11 or newer as '$(PYTHON)'. Install it, or name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock || \
	  { echo "The locked dependencies could not be installed. Check the network (and any proxy), then run make again."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . || \
	  { echo "The project itself could not be installed; the message above says why."; exit 1; }
	@touch $(READY)
