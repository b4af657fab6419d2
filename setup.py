"""Extension modules only; every other fact is in pyproject.toml.

Every .pyx below the three packages is one extension; C sources beside it that bear its name and a suffix
(`lanes_avx2.c` beside `lanes.pyx`) are compiled into it. MIPSTORM_BUILD = release | debug | sanitize | fuzz.

`sanitize` checks bounds as well; `fuzz` compiles what `release` does, so that the sanitizer sees what users would run, with
counters at every edge (clang and its libFuzzer).
"""
import os
from pathlib import Path

from setuptools import Extension, setup  # before Cython
from setuptools.command.build_ext import build_ext

from Cython.Build import cythonize  # isort: skip

MODE = os.environ.get("MIPSTORM_BUILD", "release")
STAMP = Path("build/.mode")
SANITIZE = {"sanitize": ["-fsanitize=address,undefined"],
            "fuzz": ["-fsanitize=address,undefined,fuzzer-no-link", "-fno-sanitize=function"]}.get(MODE, [])
COMMON = ["-fno-strict-aliasing", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-psabi",
          "-Wno-missing-field-initializers", "-Wno-sign-compare", "-Werror=uninitialized"]
CFLAGS = {"release": ["-O3", "-g0"], "debug": ["-O0", "-g3", "-UNDEBUG"],
          "sanitize": ["-O1", "-g", "-fno-omit-frame-pointer", *SANITIZE],
          "fuzz": ["-O1", "-g", "-fno-omit-frame-pointer", *SANITIZE]}[MODE] + COMMON
LDFLAGS = SANITIZE
CHECKED = MODE in ("debug", "sanitize")
DIRECTIVES = {"language_level": "3", "wraparound": False, "boundscheck": CHECKED, "cdivision": True,
              "initializedcheck": CHECKED, "embedsignature": True}
PACKAGES = ("fastcodec", "servers", "loadgen")
SHARED = "fastcodec._cyutility"


class BuildExt(build_ext):
    """Rebuilds everything when the mode changed: setuptools compares dates, not flags."""

    def run(self) -> None:
        self.force = self.force or (STAMP.exists() and STAMP.read_text() != MODE)
        super().run()
        STAMP.parent.mkdir(exist_ok=True)
        STAMP.write_text(MODE)


def extension(source: Path) -> Extension:
    beside = sorted(str(c) for c in source.parent.glob(f"{source.stem}_*.c"))
    headers = sorted(str(h) for h in source.parent.glob("*.h"))
    return Extension(".".join(source.with_suffix("").parts), [str(source), *beside], depends=headers,
                     include_dirs=[str(source.parent), "fastcodec", "servers"],
                     extra_compile_args=CFLAGS, extra_link_args=LDFLAGS)


sources = sorted(p for package in PACKAGES for p in Path(package).rglob("*.pyx"))
shared = Extension(SHARED, [SHARED.replace(".", "/") + ".c"], extra_compile_args=CFLAGS, extra_link_args=LDFLAGS)
setup(cmdclass={"build_ext": BuildExt},
      ext_modules=cythonize([*map(extension, sources), shared], compiler_directives=DIRECTIVES,
                            nthreads=int(os.environ.get("MIPSTORM_JOBS", os.cpu_count() or 1)),
                            build_dir="build/cython", shared_utility_qualified_name=SHARED))
