# Every target sets up what it needs first; `make help` says what each one does.
# All real work is in tools/, so that each step can also be run by hand.

PYTHON := .venv/bin/python
# Many small fits run side by side; one thread each is several times faster than a crowd.
export OPENBLAS_NUM_THREADS := 1
# Where the three source files of the data are, or are put.
SOURCES ?= sources
# What a class handed in: one folder a student. The examples are two made-up students.
SUBMISSIONS ?= exercises/examples

.PHONY: help venv book pdf lighthouse check test proof share chapter lab notebooks same exercises \
	assignment grade \
	claims refit calibrate study structured budget mutants bench scale data lock clean

help: ## list the targets (this text)
	@echo "Usage: make TARGET. Each target sets up .venv first if that is needed."
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1\t/p' Makefile | expand -t 14

venv: ## the environment in .venv, from requirements.lock
	@sh tools/bootstrap.sh

book: venv ## the site in _build/html, from the outputs stored in the notebooks
	@$(PYTHON) tools/build_book.py

pdf: venv ## the site, and the whole course beside it as mrp-course.pdf (needs Chromium)
	@$(PYTHON) -m tools.chromium
	@MRP_PDF=1 $(PYTHON) tools/build_book.py
	@$(PYTHON) -m tools.print_course

lighthouse: venv ## scores of five built pages; at least 95 each (needs Chromium, Node.js)
	@$(PYTHON) -m tools.measure_pages

check: venv ## before a commit: style, types, spelling, and the tests of what changed
	@$(PYTHON) -m tools.loops check

test: venv ## style, types, unit tests, docstring examples, stored notebook outputs, site
	@$(PYTHON) -m tools.loops test

proof: venv ## all that takes long: injected faults, every page, fresh fits, mutants
	@$(PYTHON) -m tools.loops proof

share: venv ## of the proof, what changed and, by the date, another tenth
	@$(PYTHON) -m tools.loops share

chapter: venv ## run NAME=07, store its outputs, make its exercise, test it and show its page
	@$(PYTHON) -m tools.chapter "$(NAME)"

lab: venv ## JupyterLab, opened on the course
	@$(PYTHON) -m jupyter lab
	@echo "JupyterLab has ended. What you saved is in the notebooks, mostly in chapters/."

notebooks: venv ## run every notebook from a clean kernel and store its outputs
	@$(PYTHON) -m tools.execute_notebooks

same: venv ## run every notebook, and say which files would change
	@$(PYTHON) -m tools.execute_notebooks --check

exercises: venv ## what learners open, from exercises/solutions
	@$(PYTHON) -m tools.make_exercises

assignment: venv ## the exercises to hand out to a class, in _class/release
	@$(PYTHON) -m tools.classroom assignment

grade: venv ## marks and feedback for SUBMISSIONS=folder, in _class
	@$(PYTHON) -m tools.classroom grade "$(SUBMISSIONS)"

claims: venv ## the pages of every claim with the assertions that hold it
	@$(PYTHON) -m tools.claims

refit: venv ## sample every stored posterior afresh, from another seed, and compare
	@$(PYTHON) -m tools.refit

calibrate: venv ## simulation-based calibration and coverage, resumed where it stopped
	@$(PYTHON) -m tools.calibrate

study: venv ## the hundreds of samples of chapters 8, 10 and 12, resumed where they stopped
	@$(PYTHON) -m tools.study
	@$(PYTHON) -m tools.study_nuts
	@$(PYTHON) -m tools.simulations

structured: venv ## where structured priors pay, over many samples, resumed where it stopped
	@$(PYTHON) -m tools.structured

budget: venv ## time and peak memory of every notebook, and the page that shows them
	@$(PYTHON) -m tools.budget

mutants: ## change the engine's lines one by one, and see the tests notice
	@sh tools/bootstrap.sh mutation
	@$(PYTHON) tools/mutate.py

bench: ## time and memory beside the published way (installs JAX, about 350 MB)
	@sh tools/bootstrap.sh bench
	@$(PYTHON) -m benchmarks.engine
	@$(PYTHON) benchmarks/run.py
	@echo "The benchmark is done; its table stands above."

scale: venv ## what an effective draw and a large frame cost, for chapter 14
	@$(PYTHON) -m benchmarks.samplers
	@$(PYTHON) -m benchmarks.large_frame

data: venv ## the bundled extracts in mrp_helpers/datasets, from the source files
	@sh tools/fetch_sources.sh $(SOURCES)
	@$(PYTHON) tools/make_data.py $(SOURCES)

lock: ## newest versions into requirements.lock, from pyproject.toml
	@sh tools/lock.sh
	@echo "The versions are in requirements.lock; the next make target installs them."

clean: ## remove what make book and make test leave behind, and .venv
	@rm -rf _build _class .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		build *.egg-info
	@find . -name __pycache__ -prune -exec rm -rf {} +
	@echo "Removed the site, the environment and all caches; the course itself is untouched."
