"""Rules of the source itself: imports go one way, files and functions stay short, stubs and names are in order."""
from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import loadgen.cli

ROOT = Path(next(iter(loadgen.cli.__path__))).parents[1]
PACKAGES = ("fastcodec", "servers", "loadgen")
HERE = Path(__file__).resolve()
LONG_FILE, TOO_LONG_FILE = 400, 450          # lines of code: neither empty nor all comment
LONG_FUNCTION_P90, LONGEST_FUNCTION = 20, 40
# A test may import anything; the product brings its own arithmetic.
ORACLES = {"scapy", "pyrad", "hdrhistogram", "pytest", "hypothesis"}
# What would make a role depend on when and where it runs.
OUTSIDE = {"socket", "time", "os", "random", "asyncio", "uvloop", "select", "selectors", "threading", "secrets", "datetime",
           "subprocess", "signal", "libc.time", "posix", "servers.net.udp", "servers.net.mmsg", "servers.net.pump"}


def sources(*suffixes: str) -> list[Path]:
    return sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*") if p.suffix in suffixes)


PYTHON, CYTHON = sources(".py"), sources(".pyx", ".pxd")
OURS = [*PYTHON, *CYTHON]


def name_of(path: Path) -> str:
    """servers/net/udp.py -> servers.net.udp"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module that the file imports or cimports, wherever the statement stands. No relative ones: ruff refuses them."""
    text = path.read_text()
    if path.suffix == ".py":
        return set(python_imports(ast.parse(text)))
    return set(cython_imports(text))


def python_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FROM = re.compile(r"^\s*from\s+([\w.]+)\s+c?import\s+(\((?:[^)]*)\)|[^\n]*)", re.MULTILINE)
IMPORT = re.compile(r"^\s*c?import\s+([\w., ]+)", re.MULTILINE)


def cython_imports(text: str) -> Iterator[str]:
    for module, names in FROM.findall(text):
        yield module
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names.split("#")[0]))
    for names in IMPORT.findall(text):
        yield from (name.split(" as ")[0].strip() for name in names.split(","))


def within(module: str, *places: str) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


IMPORTS = {name_of(path) + path.suffix: imports(path) for path in OURS}


def offenders(of: tuple[str, ...], *forbidden: str, besides: tuple[str, ...] = ()) -> list[str]:
    """`module -> what it imports`, for modules of these packages that import what they must not."""
    return [f"{module} -> {imported}" for module, found in IMPORTS.items() for imported in sorted(found)
            if within(module.rpartition(".")[0], *of) and within(imported, *forbidden) and not within(imported, *besides)]


def test_the_readers_of_imports_see_what_is_there() -> None:
    """Else every rule below would hold for want of evidence."""
    assert {"loadgen.fleet", "loadgen.fleet.Fleet", "servers.net.udp"} <= IMPORTS["loadgen.engine.py"]
    assert {"fastcodec.wire", "servers.engine.stages.queue_open", "libc.string"} <= IMPORTS["loadgen.fleet.pyx"]
    assert "servers.roles.fha.FhaRole" in IMPORTS["servers.app.py"]
    assert set(cython_imports("cimport a.b, c as d\nfrom e cimport (\n    f, g,\n)\n")) == {"a.b", "c", "e", "e.f", "e.g"}
    assert len(IMPORTS) > 60


def test_packages_import_one_way() -> None:
    assert offenders(("fastcodec",), "servers", "loadgen") == []
    assert offenders(("servers",), "loadgen") == []
    assert offenders(PACKAGES, "tests", "benchmarks") == []


def test_net_knows_no_role() -> None:
    assert offenders(("servers.net",), "servers", besides=("servers.net",)) == []


def test_the_pool_knows_nothing_of_ours() -> None:
    assert offenders(("servers.pool",), *PACKAGES, besides=("servers.pool",)) == []


def test_roles_know_no_socket_clock_random_source_or_loop() -> None:
    assert offenders(("servers.roles", "servers.engine", "loadgen.bootstrap", "loadgen.checks"), *OUTSIDE) == []


def test_only_the_app_joins_roles_to_the_rest() -> None:
    """In `servers` (`home` is the app's part that builds an AAAH), and the fleet shares the roles' RADIUS client."""
    joined = [f"{module} -> {imported}" for module, found in IMPORTS.items() for imported in found
              if within(imported, "servers.roles") and not within(module, "servers.roles", "servers.app", "servers.home")]
    assert [j for j in joined if not re.match(r"loadgen\.\w+\.p(yx|xd) -> servers\.roles\.radius_client", j)] == []


def test_the_product_needs_no_oracle() -> None:
    assert offenders(PACKAGES, *ORACLES) == []


def test_digests_are_computed_in_fastcodec_only() -> None:
    """But for the hash that names a schedule, which protects nothing."""
    assert offenders(("servers", "loadgen"), "hashlib", "hmac") == ["loadgen.schedule.py -> hashlib"]


# ---- sizes -----------------------------------------------------------------------------------------------------------

def code_lines(path: Path) -> int:
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in path.read_text().splitlines())


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): code_lines(path) for path in OURS}
    long = {name: n for name, n in lengths.items() if n > LONG_FILE}
    if long:
        warnings.warn(f"long files: {long}", stacklevel=1)
    assert {name: n for name, n in long.items() if n > TOO_LONG_FILE} == {}


def python_functions(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield (node.end_lineno or 0) - node.lineno + 1


HEAD = re.compile(r"^( *)(?:def |(?:cdef|cpdef) (?!class|struct|enum|packed|extern|public|union)[^=]*\()")


def cython_functions(path: Path) -> Iterator[int]:
    """From a head to the last line before the next one of no deeper indentation."""
    lines = path.read_text().splitlines()
    filled = [(number, len(line) - len(line.lstrip())) for number, line in enumerate(lines) if line.strip()]
    for number, line in enumerate(lines):
        if path.suffix == ".pyx" and (head := HEAD.match(line)):
            depth = len(head[1])
            rest = [(n, d) for n, d in filled if n > number]
            body = next((i for i, (n, d) in enumerate(rest) if d <= depth and not lines[n].lstrip().startswith(")")), len(rest))
            if body:
                yield rest[body - 1][0] - number + 1


def test_functions_are_short() -> None:
    lengths = sorted(n for path in PYTHON for n in python_functions(path))
    compiled = sorted(n for path in CYTHON for n in cython_functions(path))
    assert len(lengths) > 200
    assert len(compiled) > 200
    for found in (lengths, compiled):
        assert found[len(found) * 9 // 10] <= LONG_FUNCTION_P90
        assert found[-1] <= LONGEST_FUNCTION


# ---- text ------------------------------------------------------------------------------------------------------------

def texts() -> Iterator[Path]:
    """Everything of ours that is text: the packages, and what stands beside them where there is a whole tree."""
    yield from sources(".py", ".pyx", ".pxd", ".pyi", ".c", ".h")
    for folder in ("tests", "benchmarks"):
        yield from sorted(p for p in (HERE.parents[1] / folder).rglob("*") if p.suffix in (".py", ".c", ".h", ".md", ".txt"))
    yield from (p for name in ("README.md", "CHANGELOG.md", "Makefile", "setup.py", "pyproject.toml", ".ci/run")
                if (p := HERE.parents[1] / name).exists())


@pytest.mark.parametrize("word", ["/" + w for w in ("work/", "tmp/wt", "tmp/venv", "root/")] + [r"\bTODO\b", r"\bFIXME\b", r"\bXXX\b"])
def test_nothing_that_belongs_elsewhere_is_written(word: str) -> None:
    """No paths of one machine, no promises."""
    found = [f"{path}:{number}" for path in texts() if path.resolve() != HERE
             for number, line in enumerate(path.read_text().splitlines(), 1) if re.search(word, line)]
    assert found == []


def as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_exported_names_are_sorted_and_there() -> None:
    lists = 0
    for path in PYTHON:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                names = ast.literal_eval(node.value)
                lists += 1
                assert names == sorted(set(names), key=as_ruff_sorts), path
    assert lists >= 3


def test_a_module_that_python_can_use_has_a_stub() -> None:
    """A compiled module with a function, class or exported enum."""
    visible = re.compile(r"^(def |cdef class |class |cpdef )", re.MULTILINE)
    bare = []
    for path in sources(".pyx"):
        header = path.with_suffix(".pxd")
        text = path.read_text() + (header.read_text() if header.exists() else "")
        if visible.search(text) and not path.with_suffix(".pyi").exists():
            bare.append(str(path.relative_to(ROOT)))
    assert bare == []


def test_stubs_and_headers_belong_to_a_module() -> None:
    """Nothing is left of modules that are gone."""
    orphans = [p for p in sources(".pyi") if not p.with_suffix(".pyx").exists()]
    assert orphans == []
    assert all(a != b for a, b in pairwise(sorted(map(name_of, PYTHON))))
