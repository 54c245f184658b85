# Everything from nothing but a Python >= 3.12. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(STAMP) ## Make the virtual environment (done by every other target)

$(STAMP): requirements.lock pyproject.toml tools.mk
	@$(MAKE) --no-print-directory -f tools.mk VENV=$(VENV)
	@touch $@

report: $(STAMP) ## Build the reports of the shipped studies
	@for study in models/*/study.toml; do \
	  $(BIN)/bayesdid report $$(dirname $$study) --out reports/$$(basename $$(dirname $$study)) || exit $$?; \
	done

test: $(STAMP) ## Lint, types, tests
	@$(MAKE) --no-print-directory -j 2 lint warm
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal

lint: $(STAMP) ## Lint and types
	$(BIN)/ruff check src tests data
	$(BIN)/ruff format --check src tests data
	$(BIN)/mypy --num-workers 2

warm: $(STAMP) ## Compile what both workers of the tests would compile: the sampler of a fit, and the tests
	OMP_NUM_THREADS=1 $(BIN)/python tests/compile_kernel.py
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null

test-slow: $(STAMP) ## The cells of the tests' matrices that `make test` leaves out
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m slow

calibrate: $(STAMP) calibrate-spatial calibrate-errors calibrate-few calibrate-notes calibrate-sbc calibrate-published calibrate-synergy calibrate-differing calibrate-unforeseen calibrate-single calibrate-three calibrate-pool ## Coverage of every model family on simulated panels, and the next twelve
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/calibrate.py

calibrate-spatial: $(STAMP) ## Ranks and coverage of spatial models alone (about two minutes)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/spatial_calibrate.py

calibrate-errors: $(STAMP) ## Placebo laws on real panels, errors of many kinds (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/error_calibrate.py

calibrate-few: $(STAMP) ## The same laws with 3, 5 and 10 treated units: docs/calibration-few.md
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/error_calibrate.py --few

calibrate-notes: $(STAMP) ## How often notes on rows beside a posterior appear: docs/calibration-notes.md (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/notes_calibrate.py

calibrate-sbc: $(STAMP) ## Ranks of true values for every model (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/sbc_calibrate.py

calibrate-synergy: $(STAMP) ## Coverage and false verdicts of the headline (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/synergy_calibrate.py

calibrate-differing: $(STAMP) ## Effects that differ between units: a section of docs/validity.md (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/differing_calibrate.py

calibrate-unforeseen: $(STAMP) ## The headline in worlds that nothing was made for: a section of docs/validity.md (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/unforeseen_calibrate.py

calibrate-single: $(STAMP) ## Words of claims about one policy: docs/validity-single.md (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/single_calibrate.py

calibrate-three: $(STAMP) ## The same of three policies: docs/validity-three.md (goes on where it was stopped)
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/three_calibrate.py

calibrate-pool: $(STAMP) ## Coverage of pools of studies, under selection and wrong standard errors: docs/pool.md
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/pool_calibrate.py

calibrate-published: $(STAMP) ## Coverage of intervals from printed columns, and a real panel behind its print
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/published_calibrate.py

reconstruct: $(STAMP) ## Make the reference panel of dual_pilot and what an ensemble says beside it: docs/reconstruct.md
	OMP_NUM_THREADS=1 $(BIN)/bayesdid reconstruct models/dual_pilot --members 6 --seed 1 -o ensembles/dual_pilot --reference

calibrate-reconstruct: $(STAMP) ## Held-out tables, and real panels hidden behind their print: docs/reconstruct.md
	OMP_NUM_THREADS=1 $(BIN)/python tests/statistical/reconstruct_calibrate.py

audit-corpus: $(STAMP) ## Audit 325 correct tables of public data, and each with errors planted: docs/audit.md
	cd tests/audit && OMP_NUM_THREADS=1 ../../$(BIN)/python corpus_run.py

docs: $(STAMP) ## Run every block of every page, then build the site of the documentation in site/
	OMP_NUM_THREADS=1 $(BIN)/python tests/docs/run_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs-write: $(STAMP) ## Run every block of every page and store what it prints
	OMP_NUM_THREADS=1 $(BIN)/python tests/docs/run_pages.py --write

mutants: $(STAMP) ## Plant faults in copies of the source and see tests catch each: docs/mutants.md
	OMP_NUM_THREADS=1 $(BIN)/python tests/mutants/run.py

fuzz: $(STAMP) ## Damage studies, panels and options at random: every command must end in words (about half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python tests/strangers/fuzz.py

bench: $(STAMP) ## Speed and memory beside peers: docs/benchmarks.md, and a table of spatial models
	OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_two_way.py
	OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/bench_spatial.py

format: $(STAMP) ## Format and sort imports
	$(BIN)/ruff check --fix src tests data
	$(BIN)/ruff format src tests data

map: $(STAMP) ## Rewrite what is made from the code: ARCHITECTURE.md's map, tables of families, schemas, numbers of docs/published.md
	$(BIN)/python tests/architecture_map.py
	$(BIN)/python tests/family_docs.py
	$(BIN)/python tests/published_docs.py

core: $(STAMP) ## Install the core alone, without any extra, into a new environment and use it
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/python -m venv --without-pip "$$folder/venv" && \
	$(BIN)/uv pip install --quiet --system-certs --python "$$folder/venv/bin/python" \
	  --constraint requirements.lock . && \
	"$$folder/venv/bin/python" tests/packaging/core_alone.py

lock: ## Re-resolve requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.12 --all-extras --group dev --group docs \
	  pyproject.toml --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  -o requirements.lock

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help setup report test lint warm test-slow calibrate calibrate-spatial calibrate-errors calibrate-few calibrate-notes calibrate-sbc calibrate-published reconstruct calibrate-reconstruct calibrate-synergy calibrate-differing calibrate-unforeseen calibrate-single calibrate-three calibrate-pool docs docs-write mutants fuzz bench format map core lock clean
