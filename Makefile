# The front door: `make` lists what can be asked for.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Targets run one after another: they share cargo's target folder and a small machine.
.NOTPARALLEL:

TARGET := $(or $(CARGO_TARGET_DIR),target)/debug
VENVS := build/venvs
# Not include/lambda_executor.h: it is generated, in a form of its own.
C_SOURCES = $(wildcard examples/c/*.[ch] tests/c/*.[ch] tests/c/*.cpp tests/bindings/*.[ch] include/*.hpp \
  bindings/cpp/*.cpp bindings/cpp/*/*.[ch]pp bindings/cpp/tests/*/*.[ch]pp bindings/go/*.[ch] bindings/python/*/*.c \
  benches/contenders/c/*.c)
PYTHON = tests/python tests/image tests/bindings tests/install tests/docs tests/airflow_live benches function/python tools/c_reference.py tools/c_man_pages.py \
  packaging/third_party_licenses.py
MYPY = $(VENVS)/boto/bin/mypy --config-file tests/python/pyproject.toml
PREFIX ?= /usr/local
PLACES = --prefix "$(PREFIX)" $(foreach place,LIBDIR INCLUDEDIR BINDIR MANDIR DOCDIR,\
  $(if $($(place)),--$(shell echo $(place) | tr A-Z a-z) "$($(place))"))
PYTEST = $(VENVS)/boto/bin/python -m pytest -c tests/python/pyproject.toml
EXAMPLES = $(patsubst examples/c/%.c,build/examples/%,$(wildcard examples/c/*.c))

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## install what building and testing need (packages, Python environments)
	@tools/setup.sh

# No more than the demo needs: it must work without Python packages from the network.
.PHONY: setup-build
setup-build:
	@tools/setup.sh --build-only

# All targets of all packages at once: one set of features, so that the AWS SDK is compiled once and not for the library,
# its tests and the function each. What is shipped is built package by package.
.PHONY: build
build: ## build library, local server and function into target/debug, the C examples into build/examples
	@cargo build --quiet --locked --workspace --all-targets
	@ln -sf liblambda_executor.so $(TARGET)/liblambda_executor.so.1
	@$(MAKE) --no-print-directory examples

# Only what the demo runs: no tests, no S3. The first build stores no incremental data, which takes a fifth of its time.
.PHONY: build-demo
build-demo:
	@echo "building the library, the local Lambda and the function's program (minutes the first time)"
	@$(if $(wildcard $(TARGET)/deps),,CARGO_INCREMENTAL=0) cargo build --locked --workspace --lib --bins --no-default-features
	@ln -sf liblambda_executor.so $(TARGET)/liblambda_executor.so.1

.PHONY: examples
examples: $(EXAMPLES) ## build the C examples alone
	@:

build/examples/%: examples/c/%.c include/lambda_executor.h
	@mkdir -p $(@D)
	@$(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude -o $@ $< -L$(TARGET) -llambda_executor -Wl,-rpath,$(abspath $(TARGET))

# What is shipped, for old and new Linux alike; minutes to build.
.PHONY: function
function: setup-portable ## build the function for AWS into build/function (x86_64, glibc 2.26 or newer)
	@tools/build_portable.sh lambda-executor-function

.PHONY: setup-portable
setup-portable:
	@tools/setup.sh --portable

# Natively, with cargo and a C compiler alone: for this machine.
.PHONY: native
native: setup-build ## build as shipped, for this machine, into build/native (minutes)
	@tools/build_portable.sh --native

# Builds what is not there, of which the function's program comes last; what is there is not built anew, least of all as
# root.
.PHONY: install
install: $(if $(wildcard build/native/lambda-executor-function),,native) ## install what native built: PREFIX=/usr/local, DESTDIR, LIBDIR, INCLUDEDIR, BINDIR, MANDIR, DOCDIR
	@tools/install.sh --from build/native $(PLACES)

.PHONY: uninstall
uninstall: ## remove what install installed, with the same variables
	@tools/install.sh --uninstall $(PLACES)

.PHONY: portable
portable: setup-portable ## build as shipped, for glibc 2.26 or newer, into build/portable (many minutes)
	@tools/build_portable.sh

.PHONY: package
package: portable ## a tarball and a .deb that run on every Linux with glibc 2.26 or newer, into build/packages
	@tools/package.sh

.PHONY: wheel
wheel: setup portable ## the Python wheel for the same machines, into build/wheels
	@tools/build_wheel.sh

# What the bindings are built and tested against.
.PHONY: prefix
prefix: build
	@tools/install.sh --from $(TARGET) --prefix build/prefix

.PHONY: header
header: ## write include/lambda_executor.h anew from the Rust source
	@UPDATE=1 cargo test --quiet --locked --workspace --test header

.PHONY: docs
docs: setup prefix ## write what is generated: pages of docs/ from tables in the code, the C reference, Python's layer from the header
	@UPDATE=1 cargo test --quiet --locked --workspace --test generated_docs
	@tools/c_reference.py
	@tools/c_man_pages.py
	@python3 bindings/python/generate.py
	@bindings/go/test.sh --update
	@UPDATE=1 $(PYTEST) --override-ini "pythonpath=. ../install" tests/install/test_man_pages.py

.PHONY: demo
demo: setup-build build-demo examples ## run over 200 real commands through the local Lambda and check each result
	@tools/demo.sh

.PHONY: test
test: ## set up, build, lint and run every test
	@tools/run_tests.sh

.PHONY: test-rust
test-rust: ## unit and integration tests of the three packages
	@cargo test --quiet --locked --no-fail-fast --workspace

.PHONY: panicking-library
panicking-library: build
	@tests/c/panicking_library.sh

.PHONY: test-c
test-c: build ## C tests; some of them under valgrind too
	@tests/c/run.sh

.PHONY: test-valgrind
test-valgrind: prefix ## all C and C++ tests that can run under valgrind (about 15 minutes)
	@TEST_VALGRIND=all tests/c/run.sh
	@TEST_VALGRIND=all bindings/cpp/tests/run.sh

.PHONY: test-python
test-python: setup build ## boto3, moto, ministack and awslambdaric against our parts
	@$(PYTEST) tests/python

.PHONY: test-bindings
test-bindings: test-cpp test-scenarios test-python-package test-go ## C++, Python and Go: their own tests, and the scenarios that all share

.PHONY: test-cpp
test-cpp: setup prefix
	@bindings/cpp/tests/run.sh

.PHONY: test-scenarios
test-scenarios: setup prefix
	@$(PYTEST) --override-ini "pythonpath=. ../bindings" tests/bindings

.PHONY: test-python-package
test-python-package: setup prefix
	@$(VENVS)/bindings/bin/python -m pytest -c bindings/python/pyproject.toml bindings/python/tests

.PHONY: test-airflow
test-airflow: setup prefix ## Airflow's executor, in every Airflow environment of build/venvs
	@tests/airflow/run.sh

.PHONY: test-go
test-go: setup prefix
	@bindings/go/test.sh

.PHONY: test-install
test-install: setup prefix ## installing, and the examples of each language against what was installed
	@$(PYTEST) --override-ini "pythonpath=. ../install" tests/install --ignore tests/install/packages

.PHONY: test-docs
test-docs: setup prefix ## run the code in docs/, check links and the reference of the C API
	@$(PYTEST) --override-ini "pythonpath=. ../docs ../../tools" tests/docs

.PHONY: test-airflow-live
test-airflow-live: setup prefix ## a real Airflow runs four Dags on the local Lambda (the short form of airflow-check)
	@$(PYTEST) --override-ini "pythonpath=. ../airflow_live" tests/airflow_live --ignore tests/airflow_live/long

.PHONY: airflow-check
airflow-check: setup prefix ## the same with all that can happen to a task or a scheduler, and with other versions of Airflow
	@tools/setup.sh --airflow-versions
	@$(PYTEST) --override-ini "pythonpath=. ../airflow_live" tests/airflow_live

.PHONY: airflow-screenshots
airflow-screenshots: setup prefix ## the pictures of docs/ anew: runs in Airflow's web interface (needs chromium-driver)
	@PYTHONPATH=tests/python:tests/airflow_live $(VENVS)/boto/bin/python tests/airflow_live/screenshots.py

.PHONY: package-check
package-check: setup package wheel ## tarball, .deb and wheel as users get them, in a bare system (as root)
	@$(PYTEST) --override-ini "pythonpath=. ../install ../image" tests/install/packages

.PHONY: test-image
test-image: setup build ## the function's images, built from their Dockerfiles without an engine (as root), with the program of `make build`
	@install -D $(TARGET)/lambda-executor-function build/image-program/lambda-executor-function
	@$(PYTEST) --override-ini "pythonpath=. ../image" tests/image --ignore tests/image/whole

.PHONY: image-check
image-check: setup build function ## the same with the program as shipped, with all of Airflow in one and one compiled from source (about 30 minutes more)
	@install -D build/function/lambda-executor-function build/image-program/lambda-executor-function
	@$(PYTEST) --override-ini "pythonpath=. ../image" tests/image

.PHONY: soak
soak: setup prefix ## the stories of tests/scenarios with outages as long as in life (about 8 minutes), 100,000 tasks through Go
	@LAMBDA_EXECUTOR_SOAK=1 cargo test --quiet --locked --workspace --test scenarios -- --include-ignored
	@bindings/go/test.sh -short=false -run Load

.PHONY: bench
bench: setup ## compare with boto3, Airflow's executor, Lithops and bare loops: writes docs/performance.md (20 minutes and builds; BENCH=--full: hours)
	@PYTHONPATH=benches python3 -m report $(BENCH)

.PHONY: bench-scale
bench-scale: setup-build ## a million queued tasks, 100,000 running at once: writes its part of docs/performance.md (7 minutes and builds)
	@PYTHONPATH=benches python3 -m report.scale $(BENCH)

.PHONY: bench-calls
bench-calls: setup portable ## single calls, 10,000 tasks with 20 ms latency, start of the function and of tasks in Python, Python's pool (builds with optimisation first)
	@cargo bench --quiet --locked -p lambda-executor --bench calls
	@cargo bench --quiet --locked -p lambda-executor --bench throughput -- --tasks 10000 --latency-ms 20
	@cargo build --quiet --locked --release -p lambda-executor-local
	@mkdir -p build/bench
	@cp $(TARGET)/../release/lambda-executor-local build/function/lambda-executor-function build/bench/
	@$(VENVS)/boto/bin/python benches/function_start.py --programs build/bench
	@$(VENVS)/boto/bin/python benches/warm_start.py --programs build/bench
	@PYTHONPATH=bindings/python/src $(VENVS)/bindings/bin/python bindings/python/benches/pool.py \
	  --library build/portable/liblambda_executor.so

.PHONY: bench-airflow
bench-airflow: setup portable ## Airflow's executors side by side, longest heartbeats (builds with optimisation first)
	@cargo build --quiet --locked --release -p lambda-executor-local
	@LAMBDA_EXECUTOR_LIBRARY=build/portable/liblambda_executor.so PYTHONPATH=bindings/python/src:tests/airflow \
	  $(VENVS)/airflow/bin/python benches/airflow_sync.py
	@$(VENVS)/airflow/bin/python benches/airflow_executors.py --library build/portable/liblambda_executor.so \
	  --server $(TARGET)/../release/lambda-executor-local

# Twice: measuring the lock is not part of the library that is measured.
.PHONY: bench-limits
bench-limits: ## the figures of docs/performance.md (builds with optimisation first)
	@cargo bench --quiet --locked -p lambda-executor --bench limits -- --repeats 3
	@cargo bench --quiet --locked -p lambda-executor --bench limits --features lock-times -- --repeats 3 --lock

.PHONY: lint
lint: lint-text lint-rust lint-c lint-python lint-go ## format and lint checks: Rust, C, C++, Python, Go; no merge left half done

.PHONY: lint-text
lint-text:
	@! grep -rnE '^(<<<<<<<|>>>>>>>) ' --exclude-dir=target --exclude-dir=build --exclude-dir=.git .

# `make test` compiles with clippy's compiler: cargo then repeats the warnings of that build. `cargo clippy` alone reads
# all dependencies anew, which takes minutes the first time.
.PHONY: lint-rust
lint-rust:
	@cargo fmt --all --check
	@cargo fmt --manifest-path benches/contenders/rust/Cargo.toml --check
	@$(if $(filter %clippy-driver,$(RUSTC_WORKSPACE_WRAPPER)),! cargo build --quiet --locked --workspace --all-targets 2>&1 | grep .,\
	  cargo clippy --quiet --locked --workspace --all-targets -- -D warnings)

.PHONY: lint-c
lint-c: setup
	@$(if $(C_SOURCES),$(VENVS)/boto/bin/clang-format --dry-run -Werror $(C_SOURCES))

.PHONY: lint-python
lint-python: setup
	@$(VENVS)/boto/bin/ruff check --quiet --config tests/python/pyproject.toml $(PYTHON)
	@$(VENVS)/boto/bin/ruff format --quiet --check --config tests/python/pyproject.toml $(PYTHON)
	@MYPYPATH=tools $(MYPY) tests/python tools/c_reference.py tools/c_man_pages.py packaging/third_party_licenses.py
	@MYPYPATH=tests/python:benches $(MYPY) $(filter-out benches/airflow_%.py,$(wildcard benches/*.py))
	@MYPYPATH=benches:tests/airflow $(MYPY) benches/report
	@MYPYPATH=benches/contenders/python $(MYPY) --ignore-missing-imports benches/contenders/python
	@for folder in image bindings install docs; do MYPYPATH=tests/python:tests/image:tests/$$folder:tools:benches:tests/airflow $(MYPY) tests/$$folder; done
	@MYPYPATH=tests/python:tests/airflow_live $(MYPY) tests/airflow_live --exclude '/dags'
	@cd bindings/python && $(CURDIR)/$(VENVS)/boto/bin/ruff check --quiet && $(CURDIR)/$(VENVS)/boto/bin/ruff format --quiet --check
	@$(VENVS)/boto/bin/ruff check --quiet --config tests/airflow/pyproject.toml tests/airflow
	@$(VENVS)/boto/bin/ruff format --quiet --check --config tests/airflow/pyproject.toml tests/airflow
	@$(VENVS)/bindings/bin/mypy --config-file tests/airflow/pyproject.toml tests/airflow $(wildcard benches/airflow_*.py)
	@$(VENVS)/bindings/bin/mypy --config-file bindings/python/pyproject.toml bindings/python/src
	@$(VENVS)/bindings/bin/mypy --config-file bindings/python/pyproject.toml --python-version 3.11 \
	  $(filter-out bindings/python/src,$(wildcard bindings/python/*.py bindings/python/tests bindings/python/examples bindings/python/benches))

.PHONY: lint-go
lint-go: prefix
	@bindings/go/test.sh --lint

.PHONY: format
format: setup ## put all sources into their canonical form
	@cargo fmt --all
	@$(if $(C_SOURCES),$(VENVS)/boto/bin/clang-format -i $(C_SOURCES))
	@$(VENVS)/boto/bin/ruff format --quiet --config tests/python/pyproject.toml $(PYTHON)
	@cd bindings/python && $(CURDIR)/$(VENVS)/boto/bin/ruff format --quiet
	@$(VENVS)/boto/bin/ruff format --quiet --config tests/airflow/pyproject.toml tests/airflow
	@gofmt -w bindings/go

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf build target
