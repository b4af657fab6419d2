"""sdist and wheel: complete, and what is installed from them passes its tests from another folder."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.xdist_group("dist")]
ROOT = Path(__file__).resolve().parents[2]
SELECTION = ("tests/loadgen", "tests/fastcodec", "tests/servers/tables", "tests/servers/store", "tests/roles",
             "tests/e2e/test_serve.py", "tests/e2e/test_bench.py::test_a_small_bench")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output of a command that must succeed."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")} | environment
    if shutil.which("ccache"):
        env.setdefault("CC", "ccache gcc")
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    """Built from the tree with the tools of this environment."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("only in the source tree")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("mipstorm-*.tar.gz"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return next((folder / "unpacked").iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked: Path, folder: Path) -> Path:
    """Built from the sdist, not from the tree."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, unpacked, cwd=folder, MIPSTORM_JOBS="1")
    return next(folder.glob("mipstorm-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, folder: Path) -> Path:
    """A fresh environment with the wheel; what it depends on is borrowed from this one (without its .pth files)."""
    place = folder / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    site = Path(run(place / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    run(sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


def test_the_sdist_is_complete(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = run("git", "ls-files", "fastcodec", "servers", "loadgen", "tests", "benchmarks", "Makefile", "LICENSE",
                  "CHANGELOG.md", cwd=ROOT).split() if (ROOT / ".git").exists() else []
    assert [name for name in tracked if name not in names] == []
    assert [name for name in names if name.endswith((".so", ".pyc"))] == []
    assert {"pyproject.toml", "setup.py", "LICENSE", "fastcodec/py.typed"} <= names


def test_the_wheel_holds_what_is_needed_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"fastcodec", "servers", "loadgen"}
    modules = [p.relative_to(ROOT).with_suffix("") for package in ("fastcodec", "servers", "loadgen")
               for p in (ROOT / package).rglob("*.pyx")]
    compiled = {name.partition(".")[0] for name in names if name.endswith(".so")}
    assert {str(m) for m in modules} | {"fastcodec/_cyutility"} == compiled
    assert all(f"{package}/py.typed" in names for package in ("fastcodec", "servers", "loadgen"))
    assert [str(p.relative_to(ROOT)) for p in ROOT.glob("*/**/*.pyi") if p.parts[len(ROOT.parts)] in
            ("fastcodec", "servers", "loadgen") and str(p.relative_to(ROOT)) not in names] == []
    assert any(name.endswith("dictionaries/dictionary.mipstorm") for name in names)
    assert "fastcodec/README.md" in names
    assert [name for name in names if name.endswith(("_cyutility.c", ".pyc")) or "build/" in name] == []


def test_the_command_works_from_anywhere(installed: Path, tmp_path: Path) -> None:
    command = installed / "bin" / "mipstorm"
    assert run(command, "--version", cwd=tmp_path).startswith("mipstorm 0.")
    assert "200 of 200 succeeded" in run(command, "bench", "-n", "200", "-c", "8", cwd=tmp_path)
    where = run(installed / "bin" / "python", "-c", "import loadgen.run, servers.app; print(loadgen.run.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed))


def test_the_tests_pass_from_another_folder(installed: Path, unpacked: Path, tmp_path: Path) -> None:
    """Those of the sdist, on the wheel's packages: no source is in reach."""
    shutil.copytree(unpacked / "tests", tmp_path / "tests")
    selection = [part for part in SELECTION if (tmp_path / part.partition("::")[0]).exists()]
    assert len(selection) >= 5
    said = run(installed / "bin" / "python", "-m", "pytest", "--import-mode=importlib", "-q", "-p", "no:cacheprovider",
               *selection, cwd=tmp_path)
    assert " passed" in said
    assert " failed" not in said
