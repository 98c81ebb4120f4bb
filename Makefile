# `make demo` and `make test` on a machine with Python 3.11+ and make; nothing else is needed.
PYTHON ?= python3
VENV ?= .venv
RUN = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(VENV)/bin/python
DATA ?=
OUT ?= results

.PHONY: demo test slow lint validate sums run-pilot clean

# a whole simulated trial: data, analyses, tables, figures, one page that shows them all
demo: $(VENV)/installed
	$(RUN) -m trialmlm simulate protocols/ipf_fvc --out "$(OUT)/data"
	$(RUN) -m trialmlm run protocols/ipf_fvc --data "$(OUT)/data" --out "$(OUT)"
	@echo "open $(OUT)/index.html"

test: $(VENV)/installed
	$(RUN) -m pytest -n auto -m "not slow"

slow: $(VENV)/installed
	$(RUN) -m pytest -n auto -m slow

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# the installation check and the operational cases; writes the report
validate: $(VENV)/installed
	$(RUN) -m trialmlm validate --out "$(OUT)/validation"

# the list of the files that `validate` stands on, after a change of cases, data or reference numbers
sums:
	cd validation && find cases data reference -type f ! -name "*.py*" | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

# the four tables of CDISC Pilot 01; DATA names the folder with adsl.xpt and adqsadas.xpt
run-pilot: $(VENV)/installed
	$(RUN) -m trialmlm run protocols/cdisc_pilot_adas --data "$(DATA)" --out "$(OUT)"

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11; run make with PYTHON=/path/to/a/newer/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
