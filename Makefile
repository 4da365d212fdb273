# Run Studio. `make` lists the targets; scripts/ holds what they do.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench drill compose-check screenshots clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: ## Start the product: Temporal, worker and web (PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT)
	@scripts/bootstrap && exec .venv/bin/python -m scripts.run_product

test: ## Run everything that CI runs; PHASES="unit e2e" for some of it
	@scripts/test $(PHASES)

lint: ## Run the linters alone: style, types, import rules, templates, spelling
	@scripts/bootstrap dev && scripts/lint

format: ## Rewrite the Python files in the project's format
	@scripts/bootstrap dev && .venv/bin/ruff check --fix --quiet . && .venv/bin/ruff format .

bench: ## Compare with hand-written Temporal workflows, side by side
	@scripts/bootstrap dev && scripts/bench

drill: ## Break everything while 1,000 runs are launched (ARGS="--runs 100 --seed 7 --report FILE")
	@scripts/bootstrap dev && .venv/bin/python -m tests.drills $(ARGS)

compose-check: ## Hold docker-compose.ee.yaml to its promise, with whatever Docker there is
	@scripts/compose-check

screenshots: ## Take the pictures of docs/img again: every page, light and dark
	@scripts/bootstrap dev && .venv/bin/python -m scripts.screenshots

compose-processes: ## The same without Docker: its commands as processes, on a Temporal server built by Go
	@scripts/bootstrap dev && .venv/bin/python -m scripts.build_temporal_server
	@STACK_AS_PROCESSES=1 .venv/bin/python -m pytest -q tests/acceptance/test_stack_as_processes.py

clean: ## Remove the environment and the tools' caches; data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
