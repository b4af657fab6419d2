"""A few thousand mutations a target in every run of the tests; `make fuzz` does a million and more, guided by coverage."""
from __future__ import annotations

import pytest
from mutations import mutations
from planted import BUGS, ROOT
from rules import as_prepared
from seeds import findings, seeds
from targets import TARGETS

MUTATIONS = 3000


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name: str) -> None:
    target = TARGETS[name]
    starts = seeds(target.seeds)
    assert starts
    with as_prepared(target):
        for data in mutations(target, starts, MUTATIONS, 1):
            try:
                target.run(data)
            except Exception as error:
                error.add_note(f"input: {data.hex()}")
                raise


def test_every_target_has_a_bug_to_find() -> None:
    """`planted.py` plants them, where the sources still say what they did."""
    assert {bug.target for bug in BUGS} == set(TARGETS)
    for bug in BUGS:
        assert (ROOT / bug.file).read_text().count(bug.before) == 1, bug


@pytest.mark.parametrize("name", TARGETS)
def test_findings(name: str) -> None:
    """What once broke a target, and the seeds: all hold."""
    target = TARGETS[name]
    inputs = [*findings(name), *seeds(target.seeds)]
    with as_prepared(target):
        for data in inputs:
            target.run(data)
