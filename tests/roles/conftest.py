"""The helpers beside the tests (world, desk) are importable by their names, from wherever pytest was started."""
import contextlib
import ctypes
import gc
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
# Tables are large and mostly untouched. Left to itself glibc keeps them in its heap after the first has been freed, and
# then has to zero all of every next one.
M_MMAP_THRESHOLD = -3
with contextlib.suppress(AttributeError):  # another libc
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 << 10)
TESTS = itertools.count(1)


@pytest.fixture(autouse=True)
def few_worlds() -> Iterator[None]:
    """A world is a cycle of objects around some megabytes that Python does not see: it would collect them too late."""
    yield
    if next(TESTS) % 20 == 0:
        gc.collect()
