# The front door. Everything is built by CMake; these targets install what is missing, build, and run.
BUILD ?= build/release
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

PREFIX ?= /usr/local
LIBDIR ?= lib

.PHONY: all demo test test-debug interop install uninstall clean help

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

interop:
	@sh tools/setup.sh test
	@sh tools/setup.sh interop
	cmake --preset release -DTENON_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS) --target tenon_cli example_interop_finetune example_interop_saved formats_hdf5_hdf5_test formats_hdf5_writer_test
	@sh tests/interop/run.sh $(BUILD)

# DESTDIR, when it is given to make, is in the environment of both.
install: all
	@cmake -DCMAKE_INSTALL_LIBDIR=$(LIBDIR) $(BUILD) >/dev/null
	cmake --install $(BUILD) --prefix $(PREFIX)

uninstall:
	@sh tools/uninstall.sh $(BUILD)/install_manifest.txt

clean:
	rm -rf build
