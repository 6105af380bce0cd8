# Every target does the set-up it needs; a second call is quick. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What a person may set: make run PORT=8124, make run ASK="turn on the kitchen light"
ASK ?=
PORT ?=
HOST ?= 127.0.0.1
FRESH ?=
SENTENCE ?= turn off the fan and the living room lamp
export ASK PORT HOST SENTENCE

RUN_HA = scripts/run_ha.py --host "$$HOST" --port "$$PORT"

.PHONY: help
help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## Home Assistant with the demo home until Ctrl-C; with ASK="..." ask it and end
	@scripts/prepare
	scripts/stage-wheels >/dev/null
	python=$$(scripts/ensure-ha run)
	if [ -n "$$ASK" ]; then
	  exec "$$python" $(RUN_HA) ask -- "$$ASK"
	fi
	exec "$$python" $(RUN_HA) serve $(if $(FRESH),--fresh)

.PHONY: test
test: ## all checks: lint, unit, native, component and end-to-end tests
	@exec scripts/run-tests

.PHONY: sanitize
sanitize: ## tests of the compiled grammar engine under ASan and UBSan; some minutes
	@exec scripts/test-sanitized

.PHONY: lint
lint: venv ## ruff, mypy and cython-lint
	@export PATH="$$PWD/.venv/bin:$$PATH" # cython-lint starts pycodestyle
	failed=0
	ruff check . || failed=1
	mypy || failed=1
	cython-lint ext || failed=1
	[ $$failed = 0 ] || { echo 'lint: see the complaints above'; exit 1; }
	echo 'lint: no complaints'

.PHONY: bench
bench: ## measure ours beside the peers
	@scripts/vocabularies >/dev/null
	python=$$(scripts/ensure-venv bench)
	exec "$$python" -m pytest --benchmark

.PHONY: train
train: ## make the default model from nothing (MINUTES=20, OPTIONS=...)
	@python=$$(scripts/ensure-venv train)
	exec "$$python" -m training.make --minutes $(or $(MINUTES),20) $(OPTIONS)

.PHONY: wheels
wheels: ## build all that the integration installs, into its wheels folder
	@scripts/prepare
	folder=$$(scripts/stage-wheels)
	ls -l "$$folder"

.PHONY: venv
venv: ## .venv with this checkout, the engine and the tools
	@scripts/ensure-venv >/dev/null

.PHONY: screenshot
screenshot: ## ask SENTENCE="..." in the real frontend; writes docs/assist.png
	@scripts/prepare
	scripts/stage-wheels >/dev/null
	python=$$(scripts/ensure-ha run)
	exec "$$python" $(RUN_HA) screenshot docs/assist.png -- "$$SENTENCE"

.PHONY: clean
clean: ## remove what was built here; the cache in ~/.cache/homellm-edge stays
	@echo 'make: removing .venv, build, run, compiled extensions and wheels'
	rm -rf .venv .venv-train .venv-finetune .venv-bench build dist run *.egg-info custom_components/homellm_edge/wheels
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	rm -f homellm_edge/_*.so
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
