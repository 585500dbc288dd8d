# Every command a developer needs. `make` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export OMP_NUM_THREADS ?= 1

.PHONY: help install demo test test-slow lint bench figures images docs clean

help: ## List these commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt scripts/install.sh
	@sh scripts/install.sh $(PYTHON) $(VENV)
	@touch $@

install: $(STAMP) ## Make .venv and install everything pinned by constraints.txt

demo: $(STAMP) ## Watch the robot adapt: a window, or a film in out/ without a screen
	@$(BIN)/robot-app demo --force

test: $(STAMP) ## The whole test suite (under 10 minutes on two cores)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

test-slow: $(STAMP) ## The longer checks as well
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "slow or not slow"

lint: $(STAMP) ## ruff, mypy and the layering contract
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

bench: $(STAMP) ## Print the measured speeds, one JSON line each
	@$(BIN)/python -m benchmarks.scene_speed --json
	@$(BIN)/python -m benchmarks.train_speed --json
	@$(BIN)/python -m benchmarks.render_speed
	@$(BIN)/python -m benchmarks.window --json

figures: $(STAMP) ## Redraw every table and plot under docs/results from its stored runs
	@$(BIN)/robot-app figures --results docs/results

images: $(STAMP) ## Redraw the pictures of the README and the docs
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m robot_app.window.screenshots --out docs/images

docs: $(STAMP) ## Build the documentation into build/docs, without a warning
	@$(BIN)/python -m sphinx -W --keep-going -q docs build/docs && echo "build/docs/index.html"

clean: ## Remove what the commands above made (not .venv)
	@rm -rf out build dist docs/scenes .pytest_cache .mypy_cache .ruff_cache *.egg-info
