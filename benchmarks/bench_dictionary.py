"""All dictionaries of FreeRADIUS that pyrad can load, loaded by both."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from fastcodec.dictionary import Dictionary

from .rounds import Plan, Run, Unavailable, compare, interleave

NAMES = ("dictionary.load",)
ROOT = Path("/usr/share/freeradius")
ASK = 2


def included() -> list[Path]:
    """The files that the dictionary of the distribution includes, in its order."""
    lines = (ROOT / "dictionary").read_text().splitlines()
    return [ROOT / line.split()[1] for line in lines if line.startswith("$INCLUDE") and (ROOT / line.split()[1]).exists()]


def accepted(pyrad: Any, files: list[Path]) -> list[Path]:
    """What pyrad reads on top of what it has read already; it stops at the first file that it refuses."""
    found, dictionary = [], pyrad.Dictionary()
    for path in files:
        try:
            dictionary.ReadDictionary(str(path))
        except Exception:  # it raises KeyError and TypeError besides its own
            continue
        found.append(path)
    return found


def check(theirs: Any, ours: Dictionary) -> int:
    """Attributes that both know are the same; how many."""
    common = [(ours.attributes[a.name], a) for a in theirs.attributes.values() if a.name in ours.attributes]
    for our, their in common:
        vendor = ours.vendors[their.vendor].number if their.vendor else 0
        code = their.code[-1] if isinstance(their.code, tuple) else their.code
        if (our.vendor, our.path[-1]) != (vendor, code) and not their.is_sub_attribute:
            raise AssertionError(f"{our.name}: {(our.vendor, our.path)}, pyrad says {(vendor, their.code)}")
    if len(common) < 0.9 * len(theirs.attributes):
        raise AssertionError(f"only {len(common)} of pyrad's {len(theirs.attributes)} attributes are known")
    return len(common)


def loads(work: Callable[[], Any], seconds: float) -> Run:
    """Loads a second."""
    done, start = 0, perf_counter()
    while not done or perf_counter() - start < seconds:
        work()
        done += 1
    elapsed = perf_counter() - start
    return Run(done / elapsed, 1e6 * elapsed / done)


def figures(plan: Plan | None = None) -> list[dict[str, Any]]:
    plan = plan or Plan()
    try:
        from pyrad import dictionary as pyrad
    except ImportError as error:
        raise Unavailable(f"pyrad: {error}") from error
    if not (ROOT / "dictionary").exists():
        raise Unavailable(f"{ROOT}/dictionary: the package freeradius-common is not installed")
    logging.disable(logging.WARNING)
    try:
        return [measured(plan, pyrad)]
    finally:
        logging.disable(logging.NOTSET)


def measured(plan: Plan, pyrad: Any) -> dict[str, Any]:
    files = included()
    both = accepted(pyrad, files)

    def theirs() -> Any:
        dictionary = pyrad.Dictionary()
        for path in both:
            dictionary.ReadDictionary(str(path))
        return dictionary

    def ours() -> Dictionary:
        dictionary = Dictionary()
        for path in both:
            dictionary.read(path)
        return dictionary

    common, whole = check(theirs(), ours()), Dictionary().read(ROOT / "dictionary")
    runs = interleave({"ours": lambda: loads(ours, plan.seconds), "theirs": lambda: loads(theirs, plan.seconds)}, plan.rounds)
    row = compare(NAMES[0], runs["ours"], runs["theirs"], unit="loads/s", reference=f"pyrad, {len(both)} of {len(files)} files",
                  ask=ASK)
    row.notes.append(f"pyrad loads {len(both)} of {len(files)} files; {common} attributes are alike; we load all {len(files)}: "
                     f"{len(whole.attributes)} attributes, {len(whole.vendors)} vendors")
    return row.as_dict()
