# The front door. Everything is built by CMake; these targets install what is missing, build, and run.
BUILD ?= build/release
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

PREFIX ?= /usr/local
LIBDIR ?= lib

SECONDS ?= 60
WORKLOADS ?=
FUZZER ?=
# What shares things between threads.
THREADED = kernels_kernels_test threads_test predict_threads_test limit_test repeat_test core_context_test function_function_test function_variable_scope_test train_fit_test train_update_test
space := $() $()

.PHONY: all bench demo test test-debug test-threads test-neon coverage fuzz interop install uninstall clean help

all: $(BUILD)/Makefile
	cmake --build $(BUILD) -j $(JOBS)

help:
	@echo "make demo      extend a model that Keras trained to more digits, train it, save it, look at it"
	@echo "make test      build everything and run the tests"
	@echo "make interop   exchange files with the real Keras 2 and 3 (installs them from PyPI, outside this tree)"
	@echo "make           build only; build/release/tenon is the program"
	@echo "make install   build and install under PREFIX, $(PREFIX) (libraries in LIBDIR, $(LIBDIR); everything under DESTDIR)"
	@echo "make uninstall remove what was installed last"
	@echo "make test-debug the tests again under the address and undefined-behaviour sanitizers"
	@echo "make test-threads the tests of threads under the thread sanitizer"
	@echo "make test-neon what depends on the processor, for 64-bit ARM in an emulator"
	@echo "make coverage  which lines the tests run, per folder"
	@echo "make bench     time tenon beside its peers (from PyPI, outside this tree), and write bench/RESULTS.md; WORKLOADS=\"W3 W5\" for some of it"
	@echo "make fuzz SECONDS=n [FUZZER=name]  each fuzzer (or one) for so long, and what it reached"

$(BUILD)/Makefile:
	@sh tools/setup.sh build
	cmake --preset release -DTENON_TESTS=OFF

demo: all
	@sh tools/demo.sh $(BUILD)

test:
	@sh tools/setup.sh test
	cmake --preset release -DTENON_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

test-debug:
	@sh tools/setup.sh test
	cmake --preset debug
	cmake --build build/debug -j $(JOBS)
	ctest --test-dir build/debug --output-on-failure -j $(JOBS)

test-threads:
	@sh tools/setup.sh test
	cmake --preset tsan -DTENON_TESTS=ON
	cmake --build build/tsan -j $(JOBS) --target $(THREADED)
	ctest --test-dir build/tsan --output-on-failure -j $(JOBS) -R '^($(subst $(space),|,$(THREADED)))$$'

test-neon:
	@[ "$$(uname -m)" != aarch64 ] || { echo "test-neon: this processor has NEON itself: make test" >&2; exit 1; }
	@sh tools/setup.sh test
	@sh tools/setup.sh neon
	@sh tools/arm64.sh build/arm64
	LDFLAGS= CFLAGS= CXXFLAGS= cmake --preset neon -DTENON_TESTS=ON # the host's flags are not for it
	cmake --build build/neon -j $(JOBS) --target arithmetic_tests
	aarch64-linux-gnu-objdump -d build/neon/libtenon.a | grep -q 'fmla.*\.4s'
	ctest --test-dir build/neon --output-on-failure -j $(JOBS) -L arithmetic

# Not counted: checks of the built library's symbols, projects and code that are linked as other people do, and cases that are not kept
# with the source.
coverage:
	@sh tools/setup.sh test
	cmake --preset coverage -DTENON_TESTS=ON
	cmake --build build/coverage -j $(JOBS)
	find build/coverage -name '*.gcda' -delete
	ctest --test-dir build/coverage --output-on-failure -j $(JOBS) -E '^(exports|globals|cmake_subdirectory|installed|adding_.*|conformance_.*)$$'
	python3 tools/coverage.py build/coverage --least src/formats=90 src/saving=90

bench:
	@sh tools/setup.sh test
	cmake --preset release
	cmake --build $(BUILD) -j $(JOBS) --target tenon_bench
	@python=$$(sh tests/interop/venv.sh | tail -n 1); other=$$(sh bench/venv.sh | tail -n 1); \
	python3 bench/table.py $(BUILD)/bench "$${python:--}" "$${other:--}" bench/RESULTS.md $(WORKLOADS)

fuzz:
	@sh tools/setup.sh test
	@sh tools/fuzz.sh $(SECONDS) $(FUZZER)

interop:
	@sh tools/setup.sh test
	@sh tools/setup.sh interop
	cmake --preset release -DTENON_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS) --target tenon_cli interop_programs formats_hdf5_hdf5_test formats_hdf5_writer_test
	@sh tests/interop/run.sh $(BUILD)

# DESTDIR, when it is given to make, is in the environment of both.
install: all
	@cmake -DCMAKE_INSTALL_LIBDIR=$(LIBDIR) $(BUILD) >/dev/null
	cmake --install $(BUILD) --prefix $(PREFIX)

uninstall:
	@sh tools/uninstall.sh $(BUILD)/install_manifest.txt

clean:
	rm -rf build
