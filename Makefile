# 娘家人: everything a newcomer needs is `make run` and `make test`.
# Both set up what they need by themselves; the only thing asked for is Python 3 and a package index.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run train test test-fast lint format bench bench-desk bench-nlu eval clean

UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --frozen --no-sync
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export CUDA_VISIBLE_DEVICES := -1
export SQLALCHEMY_SILENCE_UBER_WARNING := 1

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.tools/bin/uv:
	@echo "-- getting uv (the package installer) into .tools/"
	@python3 -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.ready: pyproject.toml uv.lock | $(filter .tools/bin/uv,$(UV))
	@echo "-- installing what the project needs into .venv/ (about 2.6 GB, a minute or two the first time)"
	@$(UV) sync --frozen --compile-bytecode --python 3.11
	@touch $@

setup: .venv/.ready ## install everything into .venv/

run: setup ## start everything and print the web page's address (Ctrl-C stops it)
	@$(RUN) niangjia up

train: setup ## train a new model from data/ and config.yml
	@$(RUN) niangjia train

# A file's tests stay in one worker (they share what is slow to make). Not the files with most tests first:
# tests/conftest.py puts those in front that take longest. Two houses at a time, however many cores: each is timed,
# and takes two gigabytes.
BY_FILE := --dist loadfile --no-loadscope-reorder
FAST := -m "not e2e and not browser" -n $(or $(JOBS),logical) $(BY_FILE)
HOUSES ?= 2

test: setup ## every test, the end-to-end ones included: JOBS= workers for the fast ones, HOUSES= for the others
	@fast=0; $(RUN) python -m pytest tests $(FAST) || fast=$$?; \
		$(RUN) python -m pytest tests -m "e2e or browser" -n $(HOUSES) $(BY_FILE) || exit $$?; exit $$fast

test-fast: setup ## the tests that start no processes
	@$(RUN) python -m pytest tests $(FAST)

lint: setup ## ruff, types, import contracts, Rasa data and knowledge
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) python -m nlu.validation
	@$(RUN) niangjia knowledge check

format: setup ## let ruff tidy the code
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

bench: setup ## measure the running system and print the figures
	@$(RUN) python -m tests.bench

bench-desk: setup ## the desk under load, 200 members and 20 workers: DATABASE=postgres CASES=100000 SECONDS= SEED=
	@$(RUN) python -m tests.bench.desk $(if $(DATABASE),--database $(DATABASE)) $(if $(CASES),--cases $(CASES)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

bench-nlu: setup ## ours beside stock Rasa: SAMPLE=2000 FULL=1 SEED= REAL=FILE, or TRAIN=FILE TEST=FILE; ONLY= EPOCHS=
	@$(RUN) python -m tests.bench.nlu \
		$(if $(TRAIN),--train "$(TRAIN)") $(if $(TEST),--test "$(TEST)") $(if $(REAL),--real "$(REAL)") \
		$(if $(filter 1 yes true,$(FULL)),--full) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(ANEW),--anew)

GOLD := $(sort $(filter-out tests/nlu/gold/facts%,$(wildcard tests/nlu/gold/*.jsonl)))
GOLD_FACTS := $(sort $(wildcard tests/nlu/gold/facts*.jsonl))

eval: setup ## measure the newest model on the gold set: var/eval/report.html and report.json
	@$(RUN) niangjia evaluate $(GOLD) $(addprefix --facts ,$(GOLD_FACTS)) --as-of 2026-11-22 --robustness \
		--html var/eval/report.html --save-json var/eval/report.json

clean: ## remove what can be made again (keeps var/, your data)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .rasa .import_linter_cache
