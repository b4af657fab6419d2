"""The helpers beside the tests (world, desk) are importable by their names, from wherever pytest was started."""
import gc
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
TESTS = itertools.count(1)


@pytest.fixture(autouse=True)
def few_worlds() -> Iterator[None]:
    """A world is a cycle of objects around some megabytes that Python does not see: it would collect them too late."""
    yield
    if next(TESTS) % 20 == 0:
        gc.collect()
