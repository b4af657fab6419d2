# make demo   builds and bootstraps 20 000 mobile nodes against a private AAAH and FHA
# make test   builds and passes all tests
# make kill    kills servers at every failpoint, 20 times each (long)
# make bench  prints the figures and writes bench.json (long)
# make fuzz   every decoder FUZZ_RUNS times (1 000 000) under sanitizers, guided by coverage (long; needs clang)
# make sanitize   unit tests of codec, servers and roles under AddressSanitizer and UndefinedBehaviorSanitizer (15 minutes)
# make differential   codec against pyrad, scapy, tshark and radsniff, 50 000 made-up packets each (long)
# make timing   Welch's t-test: verification takes as long wherever a digest differs
# make lint   ruff, mypy, cython-lint, stubs
# make docs   the reference of all formats, from the declarations, to build/docs
# make dist-test   sdist and wheel, their tests from another folder (long)
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
SOURCES := $(shell find fastcodec servers loadgen -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' 2>/dev/null)
APT    := apt-get install gcc make python3-dev python3-venv

.PHONY: demo test kill bench fuzz sanitize differential timing lint docs dist-test build clean
KILLS  ?= 20
FUZZ_RUNS ?= 1000000
SANITIZED ?= tests/fastcodec tests/servers tests/roles

demo: build
	$(VENV)/bin/mipstorm bench -n 20000 -r 2000 --json result.json

test: build
	$(PY) -m pytest -n 2 --dist loadgroup

kill: build
	MIPSTORM_KILLS=$(KILLS) $(PY) -m pytest -s -v tests/e2e/test_failpoints.py -k killed_at_every

bench: build
	$(PY) -m benchmarks.figures

fuzz: build
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[fuzz]'
	$(PY) tests/instrumented.py fuzz tests/fuzz/run.py --runs $(FUZZ_RUNS)

sanitize: build
	$(PY) tests/instrumented.py sanitize -m pytest -n 2 --dist loadgroup -q --timeout 900 -W error::pytest.PytestUnraisableExceptionWarning $(SANITIZED)

differential: build
	MIPSTORM_DIFFERENTIAL=50000 $(PY) -m pytest -n 2 -q --timeout 1800 tests/fastcodec/test_radius_differential.py tests/fastcodec/test_mip4_oracles.py \
	  tests/fastcodec/test_mobility_oracles.py

timing: build
	$(PY) -m benchmarks.timing

lint: build
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint --max-line-length 140 $$(find fastcodec servers loadgen -name '*.pyx' -o -name '*.pxd')
	$(PY) -m mypy.stubtest --ignore-missing-stub --allowlist tests/stubtest.txt --ignore-unused-allowlist \
	  $$(find fastcodec servers loadgen -name '*.pyi' | sed 's/\.pyi$$//; s,/,.,g')

docs: build
	$(PY) -m fastcodec.reference build/docs

dist-test: build
	$(PY) -m pytest -m slow tests/packaging

build: $(VENV)/.built

$(VENV)/.ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null && command -v gcc >/dev/null && $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  && test -e "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" \
	  || { echo "mipstorm needs a C compiler, the Python headers and venv: $(APT)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check 'setuptools>=77' 'Cython>=3.3,<3.4'
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[dev]'
	@touch $@

$(VENV)/.built: $(VENV)/.ready setup.py $(SOURCES)
	$(PY) setup.py --quiet build_ext --inplace
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info result.json bench.json benchmarks/bin fastcodec/_cyutility.c
	find fastcodec servers loadgen -name '*.so' -delete
