# The front door: `make demo` and `make test` do everything on a fresh Debian machine with Swift.

SWIFT ?= swift
# One configuration for all: what is tested is what is shipped, and it is built once.
BUILD = $(SWIFT) build -c release --explicit-target-dependency-import-check error

.PHONY: help demo test lint format release build install install-test bench onnx-report fuzz kill-campaign clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: install build ## one render and one inference job from probe to paid, on this machine
	.build/release/rigor demo --home demo

test: install-test ## all tests, with a summary line per suite
	$(BUILD) --build-tests
	scripts/test

lint: install ## formatting, kernels' syntax, warnings as errors, imports against the manifest
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	scripts/lint-kernels
	scripts/check-shell
	RIGOR_STRICT=1 $(BUILD)

format: ## rewrite the sources as `make lint` wants them
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

build: install ## the program, in .build/release/rigor
	$(BUILD) --product rigor

release: install ## one executable with the Swift runtime inside, in .build-static/release/rigor
	$(SWIFT) build -c release --static-swift-stdlib --product rigor --scratch-path .build-static
	@ls -l .build-static/release/rigor

install: ## the Debian packages the program needs; says which and why
	@scripts/install-packages program

install-test: ## those, and the ones the tests need
	@scripts/install-packages program test
	@scripts/install-intel-opencl
	@scripts/install-test-models
	@scripts/install-triton-client

bench: build ## figures of this machine's devices, with result hashes; see Benchmarks/README.md
	.build/release/rigor bench --quick

onnx-report: build ## onnx's own back-end suite, by operator and opset, into docs/onnx-coverage.md
	@scripts/install-packages suite
	@scripts/install-onnx-suite
	.build/onnx-suite/bin/python scripts/models/onnx_report.py --rigor .build/release/rigor

fuzz: install-test ## minutes of mutated scenes, pictures and models; FUZZ_SECONDS each, 180 by default
	$(BUILD) --build-tests
	RIGOR_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),180) $(SWIFT) test -c release --skip-build --filter Fuzz

kill-campaign: install-test ## kill -9 at random points of a demo: same results, paid once
	$(BUILD) --build-tests
	scripts/kill-campaign $(or $(POINTS),40)

clean: ## build folders and the demo's data
	rm -rf .build .build-static demo
