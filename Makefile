# Every target sets up what it needs first; `make help` is the table of contents.
# All real work is in tools/ and research/, so that each step can also be run by hand.

PYTHON := .venv/bin/python
# Many small fits run side by side; one thread each is several times faster than a crowd.
export OPENBLAS_NUM_THREADS := 1
# Where the three source files of the data are, or are put.
SOURCES ?= sources
# What a class handed in: one folder per student. The examples are two made-up students.
SUBMISSIONS ?= exercises/examples

.PHONY: help venv book pdf lab chapter notebooks check test proof check-outputs refit mutation-test \
	assignment grade simulation-study profile benchmark data lock clean

help: ## this table of contents
	@echo "Usage: make TARGET. Each target sets up .venv first if that is needed."
	@sed -n -e 's/^##@ /\n/p' -e 's/^\([a-z-]*\):[^#]*## /  \1\t/p' Makefile | expand -t 20

##@ Read
venv: ## the environment in .venv, from requirements.lock
	@sh tools/bootstrap.sh

book: venv ## the site in _build/html, from the outputs stored in the notebooks
	@$(PYTHON) -m tools.build_book

pdf: venv ## the site, and the whole course beside it as mrp-course.pdf (needs Chromium)
	@$(PYTHON) -m tools.chromium
	@MRP_PDF=1 $(PYTHON) -m tools.build_book
	@$(PYTHON) -m tools.print_course

lab: venv ## JupyterLab, opened on the course
	@$(PYTHON) -m jupyter lab
	@echo "JupyterLab has ended. What you saved is in the notebooks, mostly in chapters/."

##@ Write
chapter: venv ## run NAME=07, store its outputs, make its exercise, test it and show its page
	@$(PYTHON) -m tools.chapter "$(NAME)"

notebooks: venv ## run every notebook, store its outputs, and make the exercises from the solutions
	@$(PYTHON) -m tools.notebooks
	@$(PYTHON) -m tools.make_exercises

##@ Prove
check: venv ## before a commit: style, types, spelling, and the tests of what changed
	@$(PYTHON) -m tools.loops check

test: venv ## style, types, unit tests, docstring examples, stored notebook outputs, site
	@$(PYTHON) -m tools.loops test

proof: venv ## all that takes long: injected faults, every page, refitted posteriors, mutants
	@$(PYTHON) -m tools.loops proof

check-outputs: venv ## run every notebook, and say which files would change
	@$(PYTHON) -m tools.notebooks --check

refit: venv ## sample every stored posterior again, with a different seed, and compare
	@$(PYTHON) -m tools.refit

mutation-test: ## change the engine's lines one by one, and see the tests notice
	@sh tools/bootstrap.sh mutation
	@$(PYTHON) tools/mutate.py

##@ Teach
assignment: venv ## the exercises to hand out to a class, in _class/release
	@$(PYTHON) -m tools.classroom assignment

grade: venv ## marks and feedback for SUBMISSIONS=folder, in _class
	@$(PYTHON) -m tools.classroom grade "$(SUBMISSIONS)"

##@ Measure
simulation-study: venv ## what the chapters read of hundreds of samples, resumed where it stopped
	@$(PYTHON) -m research.calibrate
	@$(PYTHON) -m research.study
	@$(PYTHON) -m research.study_nuts
	@$(PYTHON) -m research.simulations
	@$(PYTHON) -m research.own_sds
	@$(PYTHON) -m research.structured
	@$(PYTHON) -m research.parties
	@$(PYTHON) -m research.election
	@$(PYTHON) -m research.frames
	@$(PYTHON) -m research.survey_design

profile: venv ## time and peak memory of every notebook, and the page that shows them
	@$(PYTHON) -m tools.profile

benchmark: ## the engine, samplers and large frames; installs JAX, about 350 MB
	@sh tools/bootstrap.sh bench
	@$(PYTHON) -m research.benchmarks.engine
	@$(PYTHON) -m research.benchmarks.run
	@$(PYTHON) -m research.benchmarks.samplers
	@$(PYTHON) -m research.benchmarks.large_frame

##@ Maintain
data: venv ## the bundled extracts in mrp_helpers/datasets, from the source files
	@sh tools/fetch_sources.sh $(SOURCES)
	@$(PYTHON) -m tools.make_data $(SOURCES)

lock: ## newest versions into requirements.lock, from both pyproject.toml
	@sh tools/lock.sh
	@echo "The versions are in requirements.lock; the next make target installs them."

clean: ## remove what make book and make test leave behind, and .venv
	@rm -rf _build _class .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		build *.egg-info mrp_course/*.egg-info appendices/claims appendices/claims.md
	@find . -name __pycache__ -prune -exec rm -rf {} +
	@echo "Removed the site, the environment and all caches; the course itself is untouched."
