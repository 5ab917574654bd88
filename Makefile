# Every target works from a fresh clone; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SHAPE ?= full
CLUSTER_NAME ?=
named = --shape $(SHAPE) $(if $(CLUSTER_NAME),--name "$(CLUSTER_NAME)")
TRACE ?=
CLUSTER ?= own
BENCH ?=
# Faults need a node and processes of our own: on a cluster of the user's only the undisturbed days are played.
e2e_tests = $(if $(filter existing kind,$(CLUSTER)),e2e/test_1_main_job.py,e2e)
export PRESAGE_TRACES ?= ../shared/traces
# Tests of one file stay together, since they share what is dear to set up. Not the files of many tests first: those
# of few long ones would come last.
side_by_side = --dist loadfile --no-loadscope-reorder -n
# `part` prints how long each part took, so that a slow one shows at once.
part = @start=$$(date +%s); echo "==> $(1)"; $(2) && echo "<== $(1): $$(( $$(date +%s) - start )) s"

.PHONY: help venv lock fmt lint hooks typecheck imports unit property integration e2e e2e-long crds crds-check \
  chart-lint chart-test bench-operator bench-forecast bench-scaling bench-scaling-live bench-sdk images images-dockerfile check test demo demo-clean cluster-up \
  cluster-down cluster-status

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "presage needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip --version >/dev/null 2>&1 || { echo "the venv has no pip: install python3-venv"; exit 2; }
	$(BIN)/pip install -q --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

venv: $(STAMP) ## Make .venv with everything locked

lock: $(STAMP) ## Write requirements/*.txt anew from pyproject.toml
	for extra in operator cli sdk dataplane dev; do \
	  $(BIN)/uv -q pip compile pyproject.toml --extra $$extra --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" -o requirements/$$extra.txt; done
	$(BIN)/uv -q pip compile pyproject.toml --extra bench --constraints requirements/operator.txt --universal \
	  --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -o requirements/bench.txt
	echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" | $(BIN)/uv -q pip compile - --generate-hashes \
	  --custom-compile-command "make lock" --no-header -o requirements/bootstrap.txt

fmt: $(STAMP) ## Format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix -q .

lint: $(STAMP) ## Check format and lint, Python and YAML
	$(call part,lint,$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/yamllint --strict .)

hooks: $(STAMP) ## Let git run format, lint, types, layers and generated files before each commit
	$(BIN)/pre-commit install

typecheck: $(STAMP) ## mypy --strict on the product and the tools
	$(call part,typecheck,$(BIN)/mypy && $(BIN)/mypy -p e2e)

imports: $(STAMP) ## Hold the layers (import-linter)
	$(call part,imports,$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache)

unit: $(STAMP) ## Unit tests
	$(call part,unit,$(BIN)/pytest -q $(side_by_side) 2 tests/unit)

property: $(STAMP) ## Property tests (hypothesis)
	$(call part,property,$(BIN)/pytest -q tests/property)

crds: $(STAMP) ## Generate CRDs, RBAC rules and docs/reference from the code and the chart
	$(BIN)/presage generate

crds-check: $(STAMP) ## Fail when generated files are stale
	$(call part,crds-check,$(BIN)/presage generate --check)

chart-lint: $(STAMP) ## helm lint
	$(call part,chart-lint,$$($(PYTHON) -m e2e.cluster binary helm) lint --strict --quiet charts/presage)

chart-test: $(STAMP) ## Chart snapshots over several value sets
	$(call part,chart-test,$(BIN)/pytest -q tests/chart)

check: lint typecheck imports crds-check unit property chart-lint chart-test ## All that needs no cluster

integration: $(STAMP) ## Tests against a real API server, etcd, controllers and Prometheus
	$(call part,integration,PRESAGE_CLUSTER_NAME="$(CLUSTER_NAME)" $(BIN)/pytest -q --durations=5 $(side_by_side) 4 tests/integration)

e2e: $(STAMP) ## The main job on a real cluster: one undisturbed compressed day, then a choice of faults
	$(call part,e2e,PRESAGE_CLUSTER=$(CLUSTER) $(BIN)/pytest -q -s --durations=0 -m "not long" $(e2e_tests))

e2e-long: $(STAMP) ## The same, and every day and every fault there is
	$(call part,e2e-long,PRESAGE_CLUSTER=$(CLUSTER) $(BIN)/pytest -q -s --durations=0 $(e2e_tests))

test: check integration e2e ## Everything

bench-operator: $(STAMP) ## What the operator costs and how fast it is, on a real control plane (5 min)
	$(BIN)/python -m e2e.bench

bench-forecast: $(STAMP) ## Forecasts on real traces beside their peers, each figure judged (5 min); BENCH="--quick" and others
	$(BIN)/python -m e2e.bench.forecast $(BENCH)

bench-scaling: $(STAMP) ## Decisions on real traces beside the HPA rule and simple forecasts, judged (long); BENCH="--quick" and others
	$(BIN)/python -m e2e.bench.scaling $(BENCH)

bench-scaling-live: $(STAMP) ## Two compressed days on a real cluster beside the HPA rule, judged (20 min)
	$(BIN)/python -m e2e.bench.scaling_live $(BENCH)

bench-sdk: $(STAMP) ## The SDK beside the plain OpenTelemetry SDK, judged (5 min); BENCH="--quick" and others
	$(BIN)/python -m e2e.bench.sdk $(BENCH)

images: $(STAMP) ## Build the container images
	$(call part,images,$(BIN)/python -m e2e.images)

images-dockerfile: $(STAMP) ## Run the Dockerfiles for users once, on a stand-in of their public base
	$(call part,images-dockerfile,$(BIN)/python -m e2e.images --dockerfiles)

demo: $(STAMP) ## Main job, live, on a real Kubernetes: TRACE=FILE.csv replays any trace, CLUSTER=own|existing|kind
	$(BIN)/python -m e2e.demo run --cluster $(CLUSTER) $(if $(TRACE),--trace "$(TRACE)")

demo-clean: $(STAMP) ## Remove what the demo left
	$(BIN)/python -m e2e.demo clean --cluster $(CLUSTER)

cluster-up: ## Start a real Kubernetes (SHAPE=full|control, CLUSTER_NAME=one of several control clusters)
	$(PYTHON) -m e2e.cluster up $(named)

cluster-down: ## Stop it and leave nothing behind
	$(PYTHON) -m e2e.cluster down $(named)

cluster-status: ## Show its parts
	$(PYTHON) -m e2e.cluster status $(named)
