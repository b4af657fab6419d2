"""Pools, journals and secrets that are wrong, one row each: a file that is refused with its place, a server that works all
the same, or a release that changes nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import pytest
from holder import Holder

from servers import config
from servers.app import build_fha
from servers.config_example import example
from servers.errors import ConfigurationError
from servers.pool.bitmap import SharedPool
from servers.secrets_file import read_secret
from servers.store.errors import StoreError
from servers.store.store import Store

FIRST = int(IPv4Address("198.18.0.0"))
IDENTITY = "fha"
PAGE, HEAD = 4096, 32  # octets before the first record of a journal, and of a record before its payload
START_S = 5 * float(os.environ.get("MIPSTORM_SLOWDOWN", "1"))  # within which a server with the largest pool has started


class Row(NamedTuple):
    id: str
    what: str
    play: Callable[[Path], object]
    outcome: object  # of `play`; a text is a pattern for the one line that it is refused with


# ---- A47: pools -------------------------------------------------------------------------------------------------------

def written(folder: Path, *edits: tuple[str, str]) -> Path:
    text = example("fha").replace("127.0.0.1:434", "127.0.0.1:0")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = folder / "server.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def configured(edit: tuple[str, str]) -> Callable[[Path], object]:
    """What the file is refused with; it must name the line of the network that is wrong."""
    def play(folder: Path) -> object:
        path = written(folder, edit)
        bad = f'"{edit[1]}"' if "\n" not in edit[1] else edit[1].splitlines()[-1]
        line = max(k for k, text in enumerate(path.read_text().splitlines(), 1) if bad in text)
        with pytest.raises(ConfigurationError) as caught:
            config.load_fha(path)
        message = str(caught.value)
        assert f"server.toml:{line}: " in message
        return message
    return play


def network(text: str) -> tuple[str, str]:
    return "198.18.0.0/16", text


MORE_POOLS = ('reserved = ["198.18.0.1"]', """reserved = []
[[fha.pools]]
name = "business"
network = "NETWORK"
""")


def second_pool(text: str) -> tuple[str, str]:
    return MORE_POOLS[0], MORE_POOLS[1].replace("NETWORK", text)


def pool_of(text: str, *reserved: str) -> Callable[[Path], object]:
    """How many nodes a server with this pool serves; the next one hears that it is exhausted, which is true."""
    def play(folder: Path) -> object:
        class Reserved(Holder):
            def add_fha(self, clock_s: float = 0, **settings: object) -> None:
                super().add_fha(clock_s, **settings)
                for address in reserved:
                    assert self.pool.take(1, 0.0, wanted=int(IPv4Address(address)))

        desk = Reserved(8, pool=text)
        codes = [desk.ask(node).code for node in range(8)]
        assert sorted(codes) == codes
        assert desk.count("pool_exhausted") == codes.count(130)
        return codes.count(0)
    return play


def started(*edits: tuple[str, str]) -> Callable[[Path], object]:
    """In time; or the machine has no memory for that, and says so."""
    def play(folder: Path) -> object:
        settings = config.load_fha(written(folder, *edits))
        begun = time.process_time()  # others may keep the machine busy
        try:
            server = build_fha(settings)
        except ConfigurationError as error:
            return "this machine has no memory" in str(error)
        took = time.process_time() - begun
        for made in server.sockets:
            made.close()
        assert server.store is not None
        server.store.close()
        return took < START_S
    return play


# ---- A48, A49: leases of another pool, releases that are none -------------------------------------------------------------

def changed_pool(before: str, after: str) -> Callable[[Path], object]:
    """Three leases, the pool changed; they stay and are renewed to their end, and are never leased again."""
    def play(folder: Path) -> object:
        desk = Holder(8, state=folder / "a", pool=before)
        held = [desk.bootstrap(node) for node in range(3)]
        homes = {h.home for h in held}
        desk.pool_network = after
        again = desk.restarted(folder / "b")
        kept = {str(IPv4Address(a)) for a in again.fha.leases().values()} == homes
        renewed = again.renew(held[0]).code
        again.wait(1801 + 32)
        over = again.fha.leases() == {}
        fresh = {again.bootstrap(node).home for node in range(3, 5)}
        for each in (desk, again):
            each.store.close()
        return {"kept": kept, "renewed": renewed, "over": over,
                "inside": all(IPv4Address(home) in config.IPv4Network(after) for home in fresh)}
    return play


KEPT = {"kept": True, "renewed": 0, "over": True, "inside": True}


def given(*steps: Callable[[SharedPool, int], bool]) -> Callable[[Path], object]:
    """Of an address of owner 5: what each step says; how many were refused; whether the sum of states is the size."""
    def play(folder: Path) -> object:
        pool = SharedPool("198.18.0.0/28", cool_down_s=30)
        address = pool.take(5, 0.0)
        assert address is not None
        said = [step(pool, address) for step in steps]
        seen = pool.snapshot()
        assert sum(seen[state] for state in ("free", "leased", "cooling", "reserved")) == seen["size"]
        return said, seen["refused"], seen["leased"]
    return play


def by(owner: int, now: float = 1.0) -> Callable[[SharedPool, int], bool]:
    return lambda pool, address: pool.give(address, owner, now)


# ---- A50: journals ----------------------------------------------------------------------------------------------------------

ROWS = [b"one", b"two", b"three"]


def journal_with(spoil: Callable[[bytearray], object], *, identity: str = IDENTITY, closed: bool = True
                 ) -> Callable[[Path], object]:
    """The rows that are loaded from a journal of three after something was done to it; or what it is refused with."""
    def play(folder: Path) -> object:
        store = Store(folder / "s", IDENTITY, chunk=1 << 16, ring=1 << 17)
        store.load()
        for row in ROWS:
            assert store.journal.wait(store.journal.append(row, 1))
        path = folder / "s" / "journal.1"
        octets = bytearray(path.read_bytes())
        store.close()
        if closed:
            octets = bytearray(path.read_bytes())
        spoil(octets)
        path.write_bytes(octets)
        with Store(folder / "s", identity, chunk=1 << 16, ring=1 << 17) as again:
            try:
                return [row for _, row in again.load()]
            except StoreError as error:
                return str(error)
    return play


def last_record(octets: bytearray) -> int:
    return octets.index(b"three")


def cut(octets: bytearray) -> None:
    """In the middle of the last record, as a power loss would."""
    del octets[last_record(octets) + 2:]


def flip(text: bytes) -> Callable[[bytearray], None]:
    def spoil(octets: bytearray) -> None:
        octets[octets.index(text)] ^= 1
    return spoil


def no_file(folder: Path) -> object:
    with Store(folder / "new", IDENTITY) as store:
        return store.load()


def two_processes(folder: Path) -> object:
    with Store(folder / "s", IDENTITY):
        try:
            Store(folder / "s", IDENTITY)
        except StoreError as error:
            return str(error)
    return "both"


# ---- A51: secrets -------------------------------------------------------------------------------------------------------------

def secret_file(octets: bytes, mode: int = 0o600) -> Callable[[Path], object]:
    """What is warned of, or what it is refused with; the secret itself is not in it."""
    def play(folder: Path) -> object:
        path = folder / "secret"
        path.write_bytes(octets)
        path.chmod(mode)
        try:
            said = str(read_secret(path).weakness)
        except ConfigurationError as error:
            said = str(error)
        assert not octets.strip() or octets.strip().decode() not in said
        return said
    return play


def secret_in(text: str, mode: int = 0o600) -> Callable[[Path], object]:
    def play(folder: Path) -> object:
        path = written(folder, ('"change-me-16-octets-at-least"', f'"{text}"'))
        path.chmod(mode)
        try:
            said = " ".join(config.weaknesses(config.load_fha(path).aaah))
        except ConfigurationError as error:
            said = str(error)
        assert not text or text not in said
        return said
    return play


TABLE = [
    Row("A47", "0 addresses: all reserved", pool_of("198.18.0.9/32", "198.18.0.9"), 0),
    Row("A47", "1 address", pool_of("198.18.0.9/32"), 1),
    Row("A47", "2 addresses", pool_of("198.18.0.8/31"), 2),
    Row("A47", "2 addresses between network and broadcast", pool_of("198.18.0.8/30"), 2),
    Row("A47", "no network at all", configured(network("198.18.0.0/33")), "'33' is not a valid netmask"),
    Row("A47", "end before start", configured(network("198.18.0.9-198.18.0.1")),
        "198.18.0.9-198.18.0.1"),
    Row("A47", "start inside", configured(network("198.18.0.1/16")), "has host bits set"),
    Row("A47", "overlapping, larger", configured(second_pool("198.0.0.0/8")), "overlaps 198.18.0.0/16"),
    Row("A47", "overlapping, the same", configured(second_pool("198.18.0.0/16")), "overlaps"),
    Row("A47", "contains the FHA", configured(network("127.0.0.0/8")), "contains the FHA's own"),
    Row("A47", "is the FHA", configured(network("127.0.0.1/32")), "contains the FHA's own"),
    Row("A47", "a second one contains the FHA", configured(second_pool("127.0.0.0/24")),
        "contains the FHA's own"),
    Row("A47", "/7", configured(network("10.0.0.0/7")), "/8 to /32"),
    Row("A47", "multicast", configured(network("224.0.0.0/16")), "unicast"),
    Row("A47", "/8", started(network("10.0.0.0/8"), ('reserved = ["198.18.0.1"]', "reserved = []")), True),
    Row("A48", "shrunk", changed_pool("198.18.0.0/28", "198.18.0.8/29"), KEPT),
    Row("A48", "another one", changed_pool("198.18.0.0/28", "198.19.0.0/28"), KEPT),
    Row("A48", "grown", changed_pool("198.18.0.0/28", "198.18.0.0/24"), KEPT),
    Row("A49", "of another's", given(by(6)), ([False], 1, 1)),
    Row("A49", "of a free one", given(lambda pool, address: pool.give(address + 1, 5, 1.0)), ([False], 1, 1)),
    Row("A49", "of one that is in no pool", given(lambda pool, address: pool.give(FIRST + 99, 5, 1.0)), ([False], 1, 1)),
    Row("A49", "twice", given(by(5), by(5)), ([True, False], 1, 0)),
    Row("A49", "by another while it rests", given(by(5), by(6)), ([True, False], 1, 0)),
    Row("A49", "by the old owner when another has it",
        given(by(5), lambda pool, address: pool.take(6, 40.0, wanted=address) == address, by(5, 41.0)),
        ([True, True, False], 1, 1)),
    Row("A50", "whole", journal_with(lambda octets: None), ROWS),
    Row("A50", "no journal yet", no_file, []),
    Row("A50", "empty file", journal_with(bytearray.clear), "not a file of a mipstorm store"),
    Row("A50", "torn", journal_with(cut, closed=False), ROWS[:2]),
    Row("A50", "bit flipped in the middle", journal_with(flip(b"two")), "offset"),
    Row("A50", "bit flipped at the end of a whole one", journal_with(flip(b"three")), "offset"),
    Row("A50", "from a newer version", journal_with(lambda octets: octets.__setitem__(8, 2)), "format version 2"),
    Row("A50", "of another server", journal_with(lambda octets: None, identity="aaah"), "belongs to"),
    Row("A50", "two processes", two_processes, "in use by process"),
    Row("A51", "everyone may read the file", secret_file(b"correct horse battery", 0o644), "everyone may read it; run: chmod 600"),
    Row("A51", "everyone may read the configuration", secret_in("correct horse battery", 0o644), "everyone may read it"),
    Row("A51", "11 octets", secret_file(b"eleven-octe"), "11 octets is easily guessed"),
    Row("A51", "11 octets in the configuration", secret_in("eleven-octe"), "11 octets is easily guessed"),
    Row("A51", "12 octets", secret_file(b"twelve-octet"), "^None$"),
    Row("A51", "empty file", secret_file(b""), "is empty"),
    Row("A51", "a line of nothing", secret_file(b"\n"), "is empty"),
    Row("A51", "empty in the configuration", secret_in(""), r"fha.aaah\[0\].secret: a shared secret"),
]


def names(rows: Iterable[Row]) -> list[str]:
    return [f"{row.id} {row.what}" for row in rows]


@pytest.mark.parametrize("row", TABLE, ids=names(TABLE))
def test_state(tmp_path: Path, row: Row) -> None:
    seen = row.play(tmp_path)
    if isinstance(row.outcome, str):
        assert isinstance(seen, str)
        assert "\n" not in seen
        assert re.search(row.outcome, seen)
    else:
        assert seen == row.outcome
