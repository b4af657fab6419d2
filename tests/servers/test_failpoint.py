"""What arms a failpoint, what does not, and what happens there."""
from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from servers import failpoint


@pytest.fixture(autouse=True)
def nothing_stays_armed() -> Iterator[None]:
    yield
    failpoint.disarm()


@pytest.mark.parametrize("wrong", [
    "", "synced", "fha", "any_synced", "fha_nothing", "FHA_SYNCED", "fha_synced:0", "fha_synced:-1", "fha_synced:1:2",
    "fha_synced:kill:2", "fha_synced:1:kill:", "fha_synced:2147483648", "fha_synced:1:panic"])
def test_what_is_no_failpoint_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is not NAME\[:NTH\]\[:MODE\]; names: .*; modes: kill, sleep, error"):
        failpoint.arm(wrong, "fha")


def test_only_steps_that_can_fail_are_made_to() -> None:
    with pytest.raises(ValueError, match="fha_new is no step that can fail"):
        failpoint.arm("fha_new:error", "fha")


def test_another_process_is_not_armed() -> None:
    assert not failpoint.arm("aaah_image_renaming:error", "fha")
    failpoint.at("image_renaming")
    assert failpoint.arm("aaah_image_renaming:error", "aaah")
    with pytest.raises(OSError, match="Input/output error"):
        failpoint.at("image_renaming")


def test_it_happens_at_the_nth_time_at_that_point_and_once() -> None:
    failpoint.arm("fha_image_renaming:3:error", "fha")
    for place in ("image_renaming", "image_renamed", "image_renaming", "image_renamed"):
        failpoint.at(place)
    with pytest.raises(OSError, match="Input/output error"):
        failpoint.at("image_renaming")
    for _ in range(5):
        failpoint.at("image_renaming")


def test_sleep_is_a_second() -> None:
    failpoint.arm("fha_image_renaming:1:sleep", "fha")
    began = time.monotonic()
    failpoint.at("image_renaming")
    assert 1.0 <= time.monotonic() - began < 5.0


def test_kill_leaves_no_time_for_anything() -> None:
    code = ("from servers import failpoint\n"
            "failpoint.arm('fha_image_renaming', 'fha')\n"
            "try: failpoint.at('image_renaming')\n"
            "finally: print('still here')\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")


def test_a_name_that_the_program_does_not_know_is_noticed_though_nothing_is_armed() -> None:
    with pytest.raises(KeyError):
        failpoint.at("image_renamd")
