"""The package's README is in the package, and what it says happens happens."""
import doctest
from pathlib import Path

import fastcodec

README = Path(next(iter(fastcodec.__path__))) / "README.md"


def test_examples():
    failed, tried = doctest.testfile(str(README), module_relative=False, optionflags=doctest.REPORT_NDIFF)
    assert (failed, tried > 70) == (0, True)
