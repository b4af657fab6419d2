"""Arms the one failpoint that the environment names; what happens there."""
import errno
import os

from libc.errno cimport EIO
from libc.signal cimport SIGKILL
from posix.signal cimport kill
from posix.time cimport nanosleep, timespec
from posix.unistd cimport getpid, pause

VARIABLE = "MIPSTORM_FAILPOINT"
MODES = ("kill", "sleep", "error")
CAN_FAIL = range(ANY_WRITING, ANY_IMAGE_REMOVED + 1)

cdef int left                      # times that the armed point is passed before something happens
cdef int mode


cdef int failpoint_reached() noexcept nogil:
    """What the mode says, at the time that was asked for, once."""
    global armed, left
    cdef timespec second
    left -= 1
    if left > 0:
        return 0
    if mode == 0:
        kill(getpid(), SIGKILL)
        while True:
            pause()
    armed = 0
    if mode == 1:
        second.tv_sec, second.tv_nsec = 1, 0
        nanosleep(&second, NULL)
    return EIO if mode == 2 else 0


def arm(str text, str process):
    """Arms what `text` names (see the table in failpoint.pxd) if it is meant for this process, fha or aaah, and says
    whether it did. ValueError: there is no such thing."""
    global armed, left, mode
    name, *rest = text.split(":")
    nth = int(rest.pop(0)) if rest and rest[0].isdecimal() else 1
    chosen = rest.pop(0) if rest else "kill"
    meant = [each for each in points() if each.startswith(name.partition("_")[0] + "_")] or list(points())
    if name not in points() or chosen not in MODES or rest or not 1 <= nth < 1 << 31:
        raise ValueError(f"{text!r} is not NAME[:NTH][:MODE]; names: {', '.join(meant)}; modes: {', '.join(MODES)}")
    point = points()[name]
    if chosen == "error" and point not in CAN_FAIL:
        raise ValueError(f"{name} is no step that can fail")
    if not name.startswith(process + "_"):
        return False
    left, mode = nth, MODES.index(chosen)
    armed = point
    return True


def disarm():
    """Nothing happens any more."""
    global armed
    armed = 0


def points():
    """{name: number} of all points."""
    return {name: int(point) for point in _Point for name in names_of(point.name.lower())}


def names_of(str member):
    process, _, place = member.partition("_")
    return [f"{each}_{place}" for each in (("fha", "aaah") if process == "any" else (process,))]


def at(str place):
    """For steps that are Python and belong to both processes: the name without its ANY_, in lower case. OSError: the step
    shall fail."""
    if failpoint(int(_Point[f"ANY_{place.upper()}"])):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def relaxed():
    """What a report must name: the failpoint that servers which inherit our environment have."""
    return [f"failpoint {os.environ[VARIABLE]}"] if os.environ.get(VARIABLE) else []
