"""A few thousand mutations a target in every run of the tests; `make fuzz` does a million and more, guided by coverage."""
from __future__ import annotations

import pytest
from mutations import mutations
from seeds import findings, seeds
from targets import TARGETS

MUTATIONS = 3000


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name: str) -> None:
    target = TARGETS[name]
    starts = seeds(target.seeds)
    assert starts
    for data in mutations(starts, MUTATIONS, 1, target.longest):
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"input: {data.hex()}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_findings(name: str) -> None:
    """What once broke a target, and the seeds: all hold."""
    for data in [*findings(name), *seeds(TARGETS[name].seeds)]:
        TARGETS[name].run(data)
