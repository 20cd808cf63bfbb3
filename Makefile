# The front door. Each target installs the packages that it lacks, configures, builds and runs.
#
#   make demo ARGS='--loss 5% --seed 7'     JOBS=1 make test

JOBS ?= $(shell nproc)
# The tests wait far more than they compute, above all those with real peers.
TEST_JOBS ?= $(shell expr 4 \* $(JOBS))
ARGS ?=
# What `make test`, `make asan` and `make tsan` give to ctest, as in CTEST_ARGS='-R tcp'.
CTEST_ARGS ?=

BIN := build/release/bin
BUILD = cmake --build --preset
say = @printf '\n== %s\n' "$(1)"

.DEFAULT_GOAL := help
.PHONY: help demo build test asan tsan check format format-check tidy layering requirements bench recovery clean

help:
	@echo 'Hawser: TCP/IP as a C++ library.'
	@echo
	@echo '  make demo           watch a connection live: a ladder of every segment, on a simulated link'
	@echo "                      (ARGS='--loss 5% --seed 7' is passed to it)"
	@echo '  make test           build everything and run the tests'
	@echo '  make check          format, clang-tidy, layering, requirements'
	@echo '  make bench          the benchmarks, beside lwIP and memcpy'
	@echo '  make recovery       goodput under loss, in virtual time'
	@echo '  make build          the library and the command alone, in build/release'
	@echo '  make asan           the tests under the address and undefined-behaviour sanitizers'
	@echo '  make tsan           the tests under the thread sanitizer'
	@echo '  make format         rewrite the sources with clang-format'
	@echo '  make requirements   which rules of RFC 9293 are on code and on a test'
	@echo '  make clean          remove build/'
	@echo
	@echo 'Each installs what it lacks from packaging/debian-packages.txt.'

# The command alone: neither tests nor benchmarks are compiled or need their packages. A build tree that
# has tests keeps them.
build:
	@packaging/install-packages build
	$(call say,Configuring build/release)
	@cmake --preset release $(if $(wildcard build/release/CMakeCache.txt),,-DHAWSER_BUILD_TESTS=OFF)
	$(call say,Building the hawser command)
	@$(BUILD) release --target hawser_cli -j$(JOBS)

demo: build
	@echo
	@$(BIN)/hawser demo $(ARGS)

test:
	@packaging/install-packages build test
	$(call say,Configuring build/release)
	@cmake --preset release -DHAWSER_BUILD_TESTS=ON
	$(call say,Building)
	@$(BUILD) release -j$(JOBS)
	$(call say,Testing)
	@ctest --preset release -j$(TEST_JOBS) $(CTEST_ARGS)

asan tsan:
	@packaging/install-packages build test
	$(call say,Configuring build/$@)
	@cmake --preset $@ -DHAWSER_BUILD_TESTS=ON
	$(call say,Building under $@)
	@$(BUILD) $@ -j$(JOBS)
	$(call say,Testing under $@)
	@ctest --preset $@ -j$(TEST_JOBS) $(CTEST_ARGS)

check: format-check layering requirements tidy

format-check:
	@packaging/install-packages check
	$(call say,Format)
	@scripts/format --check

format:
	@packaging/install-packages check
	@scripts/format

layering:
	@packaging/install-packages check
	$(call say,Layering)
	@scripts/check-layering

requirements:
	@packaging/install-packages check
	$(call say,Requirements)
	@scripts/requirements --strict --summary

# clang-tidy reads the compile commands of build/release.
tidy:
	@packaging/install-packages build check
	$(call say,clang-tidy)
	@cmake --preset release $(if $(wildcard build/release/CMakeCache.txt),,-DHAWSER_BUILD_TESTS=OFF) >/dev/null
	@scripts/tidy -j$(JOBS)

bench:
	@packaging/install-packages build bench
	$(call say,Configuring build/release with the benchmarks)
	@cmake --preset release -DHAWSER_BUILD_BENCH=ON
	$(call say,Building the benchmarks)
	@$(BUILD) release --target hawser-bench -j$(JOBS)
	@echo
	@$(BIN)/hawser-bench $(ARGS)

recovery:
	@packaging/install-packages build test
	$(call say,Configuring build/release)
	@cmake --preset release -DHAWSER_BUILD_TESTS=ON
	$(call say,Building hawser-recovery)
	@$(BUILD) release --target hawser-recovery -j$(JOBS)
	@echo
	@$(BIN)/hawser-recovery $(ARGS)

clean:
	rm -rf build
