# Everything is done through these; .ci/run calls them too.
PYTHON ?= python3
PY := .venv/bin/python
export OMP_NUM_THREADS ?= 1
unexport PYTHONDONTWRITEBYTECODE  # tests start many processes, and without bytecode each compiles the program again

.PHONY: setup demo test check bench soak fuzz reliability screenshots datasets docs messages
setup: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(PY) -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@$(PY) -c "from realtime_mood.gui import desktop; desktop.say_missing()"
	@touch $@

demo: setup  ## the window (or the terminal view) on the synthetic headset
	$(PY) app.py run

test: setup
	$(PY) -m pytest -n 4 --dist worksteal

check: setup  ## lint, format, types, import contracts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

bench: setup  ## measurements on this machine, each compared with a limit or an alternative
	$(PY) -m benchmarks

soak: setup  ## an hour of stream time with random faults, in six minutes
	$(PY) -m benchmarks.soak

fuzz: setup  ## 10,000 broken inputs for each reader
	$(PY) -m benchmarks.fuzz --n 10000

reliability: setup  ## every fault on every source: writes docs/reliability.md
	$(PY) -m benchmarks.reliability

screenshots: setup  ## every picture of the documentation, from the running program and the code
	$(PY) -m benchmarks.architecture
	$(PY) -m benchmarks.screenshots

datasets: setup  ## the part of docs/datasets.md about each data set, from its reader
	$(PY) -m realtime_mood.models.datasets.page docs/datasets.md

docs: setup  ## the documentation site, in build/site, a folder a version; a broken link is an error
	$(PY) docs/site/build.py

LANGUAGE_DIR := realtime_mood/language
BABEL := $(PY) -m babel.messages.frontend -q
messages: setup  ## collect the texts for users, update the translations, compile them
	$(BABEL) extract -s -w 100 --no-location --omit-header -F $(LANGUAGE_DIR)/babel.cfg -k _ -k N_ -k Phrase -k ngettext:1,2 -o $(LANGUAGE_DIR)/realtime_mood.pot .
	$(BABEL) update -w 100 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -D realtime_mood -i $(LANGUAGE_DIR)/realtime_mood.pot -d $(LANGUAGE_DIR)
	$(PY) -c "import glob; from babel.messages import mofile, pofile; [mofile.write_mo(open(path[:-2] + 'mo', 'wb'), pofile.read_po(open(path, 'rb'))) for path in glob.glob('$(LANGUAGE_DIR)/*/LC_MESSAGES/*.po')]"
