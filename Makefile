# The front door: `make` lists what can be asked for.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Targets run one after another: they share cargo's target folder and a small machine.
.NOTPARALLEL:

PACKAGES := lambda-executor lambda-executor-local lambda-executor-function
VENVS := build/venvs
C_SOURCES = $(wildcard examples/c/*.[ch] tests/c/*.[ch] tests/c/*.cpp include/*.hpp)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## install what building and testing need (packages, Python environments)
	@tools/setup.sh

# Package by package, so that the features of one do not leak into another: the library must not get the `process` and
# `signal` of tokio that the function uses.
.PHONY: build
build: ## build library, local server and function into target/debug
	@for package in $(PACKAGES); do cargo build --quiet --locked -p $$package; done

.PHONY: header
header: build ## write include/lambda_executor.h anew from the Rust source
	@UPDATE=1 cargo test --quiet --locked -p lambda-executor --test header

.PHONY: demo
demo: setup build ## run over 200 real commands through the local Lambda and check each result
	@tools/demo.sh

.PHONY: test
test: ## set up, build, lint and run every test
	@tools/run_tests.sh

.PHONY: test-rust
test-rust: ## unit and integration tests of the three packages
	@status=0; for package in $(PACKAGES); do cargo test --quiet --locked --no-fail-fast -p $$package || status=1; done; exit $$status

.PHONY: test-c
test-c: build ## C and C++ tests, plainly and under valgrind
	@tests/c/run.sh

.PHONY: test-python
test-python: setup build ## boto3, moto, ministack and awslambdaric against our parts
	@$(VENVS)/boto/bin/python -m pytest -c tests/python/pyproject.toml tests/python

.PHONY: lint
lint: setup ## format and lint checks: Rust, C, Python
	@cargo fmt --all --check
	@for package in $(PACKAGES); do cargo clippy --quiet --locked --all-targets -p $$package -- -D warnings; done
	@$(if $(C_SOURCES),$(VENVS)/boto/bin/clang-format --dry-run -Werror $(C_SOURCES))
	@$(VENVS)/boto/bin/ruff check --quiet --config tests/python/pyproject.toml tests/python
	@$(VENVS)/boto/bin/ruff format --quiet --check --config tests/python/pyproject.toml tests/python
	@$(VENVS)/boto/bin/mypy --config-file tests/python/pyproject.toml tests/python

.PHONY: format
format: setup ## put all sources into their canonical form
	@cargo fmt --all
	@$(if $(C_SOURCES),$(VENVS)/boto/bin/clang-format -i $(C_SOURCES))
	@$(VENVS)/boto/bin/ruff format --quiet --config tests/python/pyproject.toml tests/python

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf build target
