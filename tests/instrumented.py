"""The compiled modules under AddressSanitizer and UndefinedBehaviorSanitizer, built in a tree of their own.

    python tests/instrumented.py sanitize -m pytest tests/fastcodec     gcc, all modules, bounds checked: build/sanitize
    python tests/instrumented.py fuzz tests/fuzz/run.py eap             clang and libFuzzer, only fastcodec compiled: build/fuzz

What follows the mode goes to a Python that runs in that tree, under the sanitizers' runtime. The ordinary build is untouched.
"""
from __future__ import annotations

import filecmp
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("setup.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in", "Makefile")
FOLDERS = {"sanitize": ("fastcodec", "servers", "loadgen", "tests", "benchmarks"), "fuzz": ("fastcodec", "tests")}
IN_PYTHON = {"sanitize": (), "fuzz": ("servers", "loadgen")}     # of these nothing that is compiled: what `mipstorm decode` is made of
LEFT_OUT = ("*.so", "__pycache__", "_cyutility.c", "bin", ".pytest_cache", ".hypothesis", "findings")
COMPILED = ("*.pyx", "*.pxd", "*.pyi", "*.c", "*.h")
COMPILERS = {"sanitize": ("gcc",), "fuzz": ("clang", "clang-19", "clang-16", "clang-14")}


def compiler(mode: str) -> str:
    """CC, or the first of the known ones on this machine."""
    given = os.environ.get("CC", "")
    if mode == "sanitize" or "clang" in given:
        return given or "gcc"
    for name in COMPILERS[mode]:
        if shutil.which(name):
            return name
    raise SystemExit("make fuzz needs clang with its runtimes: apt-get install clang-14 libclang-rt-14-dev")


def refresh(source: str, target: str) -> None:
    """Copies what differs, dated now: by the source's own date a change older than the last build would not be built."""
    if not Path(target).exists() or not filecmp.cmp(source, target, shallow=False):
        shutil.copyfile(source, target)


def tree_of(mode: str) -> Path:
    tree = ROOT / "build" / mode
    for folders, left_out in ((FOLDERS[mode], LEFT_OUT), (IN_PYTHON[mode], LEFT_OUT + COMPILED)):
        for folder in folders:
            ignored = shutil.ignore_patterns(*left_out)
            shutil.copytree(ROOT / folder, tree / folder, ignore=ignored, copy_function=refresh, dirs_exist_ok=True)
    for name in FILES:
        refresh(str(ROOT / name), str(tree / name))
    return tree


def build(mode: str, tree: Path) -> None:
    cc = compiler(mode)
    environment = os.environ | {"MIPSTORM_BUILD": mode, "CC": cc, "LDSHARED": f"{shlex.split(cc)[-1]} -shared"}
    subprocess.run([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=tree, env=environment, check=True)


def gcc_runtime(cc: str) -> str:
    names = [subprocess.run([shlex.split(cc)[-1], f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
             for name in ("libasan.so", "libubsan.so")]
    return " ".join(names)


def fuzzer_runtime() -> str:
    """libFuzzer and the sanitizer's runtime in one library, as atheris brings it."""
    try:
        import atheris
    except ImportError:
        raise SystemExit("make fuzz needs atheris: pip install 'mipstorm[fuzz]'") from None
    return str(Path(atheris.path()) / "asan_with_fuzzer.so")


def environment(mode: str, tree: Path) -> dict[str, str]:
    """PYTHONMALLOC: in an arena of Python's own, an over-read of a few octets stays unseen. Leaks: the interpreter's are many.

    A fuzzer keeps one frame of where memory came from: of all frames it remembers millions of stacks, which took half of its time.
    """
    runtime, frames = (gcc_runtime(compiler(mode)), 30) if mode == "sanitize" else (fuzzer_runtime(), 1)
    return os.environ | {
        "LD_PRELOAD": runtime, "MIPSTORM_SLOWDOWN": "5", "PYTHONMALLOC": "malloc", "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1",
        "ASAN_OPTIONS": f"detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:malloc_context_size={frames}",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def main(mode: str, *arguments: str) -> int:
    if mode not in FOLDERS:
        raise SystemExit(__doc__)
    tree = tree_of(mode)
    build(mode, tree)
    if not arguments:
        return 0
    return subprocess.run([sys.executable, *arguments], cwd=tree, env=environment(mode, tree), check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
