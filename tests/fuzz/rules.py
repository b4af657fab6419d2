"""What must hold of any decoder, and the keys that all targets share."""
from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import fastcodec as fc
from fastcodec import AuthenticationError, DecodeError, Secret

KEY, SECRET = Secret(bytes(range(16))), Secret(b"a shared secret of 26 octets")
BY_SPI = {2: KEY, 0x200: KEY, 0x1001: KEY}
REQUEST = bytes([1, 7, 0, 20]) + bytes(range(16))          # the RADIUS request that answers are checked with
REFUSALS = (DecodeError, AuthenticationError)


def unchanged(data: bytes) -> bytes:
    return data


class Target(NamedTuple):
    """What is run on any octets; `seeds` are the kinds of `seeds.py` that the mutations start from.

    `mend` puts lengths and checksums right, which hardly a mutation would leave so: half of the inputs are mended. `vary` is
    another way to change an input, by its structure and a number. `words` are worth putting in. `kinds`: under the dictionary
    with every type in every space.
    """

    run: Callable[[bytes], None]
    seeds: tuple[str, ...]
    longest: int = 1024
    mend: Callable[[bytes], bytes] = unchanged
    vary: Callable[[bytes, int], bytes] | None = None
    words: tuple[str, ...] = ()
    kinds: bool = False


def must(holds: bool, what: str, *seen: Any) -> None:
    if not holds:
        raise AssertionError(f"{what}: {seen!r}")


def attempt(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What the work gives, None when it refuses as it may."""
    try:
        return work(*arguments, **named)
    except REFUSALS as error:
        must(bool(str(error)), "a refusal says nothing", error)
        return None


def there_and_back(decode: Callable[[bytes], Any], data: bytes, encode: Callable[[Any], bytes] = lambda m: m.encode()) -> Any:
    """The message; None when refused. Its octets decode to its equal, and encode to themselves."""
    message = attempt(decode, data)
    if message is None:
        return None
    octets = encode(message)
    again = decode(octets)
    must(again == message, "decodes to another message", data, octets, message, again)
    must(encode(again) == octets, "encodes in another way the second time", data, octets)
    return message


def one_way_to_write(message: fc.Message) -> bool:
    """Values do not say in which pieces the fragments of a long RADIUS attribute came (RFC 6929 2.2), and none is empty."""
    return not isinstance(message, fc.RadiusPacket) or message.attributes.canonical


@cache
def scratch() -> Path:
    """A folder of this process's own, gone with it."""
    keep = tempfile.TemporaryDirectory(prefix="mipstorm-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    scratch.folder = keep  # type: ignore[attr-defined]
    return Path(keep.name)

@contextmanager
def as_prepared(target: Target) -> Iterator[None]:
    """What a target wants of the process, and everything as it was behind it."""
    if target.kinds:
        from radius_kinds import dictionary_text

        path = scratch() / "dictionary.kinds"
        path.write_text(dictionary_text())
        fc.configure(fc.load(path))
    try:
        yield
    finally:
        fc.configure()
