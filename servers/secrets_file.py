"""Files that hold secrets: read only when others cannot, and never shown."""
import contextlib
import os
import resource
import stat
from pathlib import Path
from typing import BinaryIO

from servers.errors import ConfigurationError

LONGEST = 255  # octets of a shared secret
LARGEST = 1 << 26  # octets of a file that is read whole
SHORT = 12  # octets below which a shared secret is guessed off-line in no time


class Secret:
    """A shared secret; printing it shows nothing."""

    __slots__ = ("octets",)

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.octets == self.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    @property
    def weakness(self) -> str | None:
        """What to warn about: RFC 2865 section 3 asks for at least 16 octets of a well-chosen password."""
        if len(self.octets) >= SHORT:
            return None
        return f"a shared secret of {len(self.octets)} octets is easily guessed; take 16 random ones"


class HexKey(Secret):
    """A key between a node and its home agent, written in hexadecimal."""

    __slots__ = ()


def key_of_hex(text: str) -> HexKey:
    """16 to 32 octets (RFC 5944 section 5.1 asks for 128 bits); the ValueError shows nothing of it."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        raise ValueError("a key is written in hexadecimal") from None
    if not 16 <= len(octets) <= 32:
        raise ValueError(f"a key has 16 to 32 octets, not {len(octets)}")
    return HexKey(octets)


def open_private(path: str | Path) -> BinaryIO:
    """The file, to be read; ConfigurationError when it cannot be opened or anyone on this machine could read it."""
    try:
        file = open(path, "rb")                                      # noqa: SIM115 - its reader closes it
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        file.close()
        raise ConfigurationError(f"{path}: holds secrets but everyone may read it; run: chmod 600 {path}")
    return file


def read_private(path: str | Path) -> bytes:
    """The whole file; ConfigurationError when it cannot be read or anyone on this machine could read it."""
    with open_private(path) as file:
        try:
            octets = file.read(LARGEST + 1)
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    if len(octets) > LARGEST:
        raise ConfigurationError(f"{path}: is longer than {LARGEST} octets, and no such file")
    return octets


def write_private(path: str | Path, octets: bytes) -> None:
    """Writes the file anew, readable by its owner only; whoever reads it finds the old or the new one, never a part."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None


def checked(octets: bytes) -> Secret:
    """ValueError when it cannot be a shared secret."""
    if not 1 <= len(octets) <= LONGEST:
        raise ValueError(f"a shared secret has 1 to {LONGEST} octets, not {len(octets)}")
    return Secret(octets)


def read_secret(path: str | Path) -> Secret:
    """The secret is the file's content without the line's end; an empty one is refused."""
    octets = read_private(path).removesuffix(b"\n").removesuffix(b"\r")
    if not octets:
        raise ConfigurationError(f"{path}: is empty; it must hold the shared secret on one line")
    if b"\n" in octets:
        raise ConfigurationError(f"{path}:2: a second line; the file must hold the shared secret alone")
    try:
        return checked(octets)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def no_core_dumps() -> None:
    """A core file would hold every key; whoever needs one raises the limit again from outside (prlimit)."""
    with contextlib.suppress(OSError, ValueError):  # a sandbox that forbids this has its own limit
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
