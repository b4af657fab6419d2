"""The AAAH made from its files: what SIGHUP re-reads, what it refuses, what a restart keeps."""

import asyncio
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from servers import accounting
from servers.config import load_aaah
from servers.errors import ConfigurationError
from servers.home import Home
from servers.roles.aaah import AaahRole
from servers.running import compact
from servers.tables import subscribers_csv, subscribers_lmdb
from servers.tables.subscribers_csv import Subscribers, generate

AAAH = """[aaah]
listen = "127.0.0.1:0"
accounting_listen = "127.0.0.1:0"
subscribers = "subscribers.{kind}"
policy = "policy.toml"
volatile = {volatile}
[[aaah.client]]
network = "127.0.0.0/8"
secret = "a secret of some length"
"""


class Place:
    def __init__(self, folder: Path, kind: str = "csv", volatile: str = "true") -> None:
        self.folder, self.kind = folder, kind
        self.everybody = generate(20)
        self.subscribers(self.everybody)
        self.policy("127.0.0.2")
        (folder / "aaah.toml").write_text(AAAH.format(kind=kind, volatile=volatile))
        (folder / "aaah.toml").chmod(0o600)

    def subscribers(self, columns: Subscribers) -> None:
        {"csv": subscribers_csv, "lmdb": subscribers_lmdb}[self.kind].write(columns, self.folder / f"subscribers.{self.kind}")

    def policy(self, *addresses: str) -> None:
        (self.folder / "policy.toml").write_text("".join(f'[[fha]]\naddress = "{a}"\n' for a in addresses))

    def start(self) -> Home:
        return Home(load_aaah(self.folder / "aaah.toml"))


def stop(home: Home) -> None:
    for made in home.sockets:
        made.close()
    home.store.close()


@pytest.fixture(params=["csv", "lmdb"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return Place(tmp_path, request.param)


@pytest.fixture
def home(place: Place) -> Iterator[Home]:
    made = place.start()
    yield made
    stop(made)


def gauges(home: Home) -> tuple[int, int]:
    """(subscribers, FHAs of the policy)"""
    told = home.role.gauges()
    return told["subscribers"][0], told["policy_fhas"][0]


def test_both_files_are_read_again(place: Place, home: Home) -> None:
    assert gauges(home) == (20, 1)
    assert len({s.address for s in home.sockets}) == 2, "access and accounting"
    place.subscribers(generate(30))
    place.policy("127.0.0.2", "127.0.0.3")
    use = home.reread()
    assert gauges(home) == (20, 1), "nothing changes before it is put into use"
    assert use().replace(f"{place.folder}/", "") == f"subscribers.{place.kind}: 30 subscribers; policy.toml: 2 FHAs"
    assert gauges(home) == (30, 2)


def test_an_unchanged_subscribers_file_is_not_read_twice(place: Place, home: Home) -> None:
    before = home.table_in_use
    place.policy("127.0.0.4")
    home.reread()()
    assert home.table_in_use is before
    place.subscribers(place.everybody)
    home.reread()()
    assert home.table_in_use is not before


@pytest.mark.parametrize(("policy", "message"), [
    ("[[fha]]\naddress = 7\n", "expected a string"), ("nonsense", "is not TOML"), ("", "names no healthy FHA"),
    ('[[fha]]\naddress = "127.0.0.9"\nwieght = 1\n', "did you mean 'weight'")])
def test_a_bad_policy_is_refused_and_the_old_one_stays(place: Place, home: Home, policy: str, message: str) -> None:
    place.subscribers(generate(30))
    (place.folder / "policy.toml").write_text(policy)
    with pytest.raises(ConfigurationError, match=message):
        home.reread()
    assert gauges(home) == (20, 1)


def test_bad_subscribers_are_refused_and_the_old_ones_stay(place: Place, home: Home) -> None:
    place.policy("127.0.0.2", "127.0.0.3")
    (place.folder / f"subscribers.{place.kind}").write_bytes(b"nonsense\n" * 2000)
    with pytest.raises(ConfigurationError):
        home.reread()
    assert gauges(home) == (20, 1)


def test_more_subscribers_than_care_of_addresses(tmp_path: Path) -> None:
    place = Place(tmp_path)
    text = (tmp_path / "aaah.toml").read_text().replace("[[aaah", 'care_of_network = "127.64.0.0/27"\n[[aaah')
    (tmp_path / "aaah.toml").write_text(text)
    home = place.start()
    place.subscribers(generate(31))
    with pytest.raises(ConfigurationError, match="has no room for 31 subscribers"):
        home.reread()
    stop(home)


# ---- what was learnt ---------------------------------------------------------------------------------------------------

RECORD = struct.Struct("<QQQ16sB")


def learnt(home: Home) -> dict[bytes, tuple[int, bytes]]:
    """{NAI: (Identification, FHAs)} as an image would keep it."""
    found = {}
    for kind, payload in home.role.records(1, 10**18):
        _, identification, _, fhas, _ = RECORD.unpack_from(payload)
        assert kind == 1
        found[payload[RECORD.size:]] = identification, fhas
    return found


def teach(home: Home, nai: bytes, identification: int) -> None:
    payload = RECORD.pack(2 * 10**18, identification, 5, bytes((127, 0, 0, 2)) + bytes(12), len(nai)) + nai
    assert home.role.restore(1, payload, 1, 10**18)


def test_new_tables_take_over_what_was_learnt(place: Place, home: Home) -> None:
    nais = [place.everybody.nai[k] for k in range(20)]
    for k, nai in enumerate(nais):
        teach(home, nai, 1000 + k)
    order = np.array([*range(10, 20), 0, 5, 3])
    changed = subscribers_lmdb.picked(place.everybody, order)
    place.subscribers(replace(changed, spi=changed.spi + 1))
    home.reread()()
    assert learnt(home) == {nais[k]: (1000 + k, bytes((127, 0, 0, 2)) + bytes(12)) for k in order}


def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    teach(home, place.everybody.nai[7], 77)
    home.store.compact(home.role.records(1, 10**18))
    stop(home)
    again = place.start()
    assert learnt(again) == {place.everybody.nai[7]: (77, bytes((127, 0, 0, 2)) + bytes(12))}
    stop(again)
    assert {p.name.partition(".")[0] for p in (tmp_path / "aaah-state").iterdir()} == {"lock", "journal", "image"}


def test_a_state_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    home.store.journal.append(b"what is this", 9)
    stop(home)
    with pytest.raises(ConfigurationError, match="records that are not those of an AAAH"):
        place.start()


# ---- accounting ----------------------------------------------------------------------------------------------------------

def record(text: str) -> bytes:
    return struct.pack("<Q4sH", 1_800_000_000_000_001_000, bytes((192, 0, 2, 1)), 40999) + text.encode()


def test_accounting_leaves_the_journal_for_a_file(tmp_path: Path) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    for text in ("one", "two"):
        home.store.journal.append(record(text), 2)
    stop(home)
    again = place.start()
    (path,) = (tmp_path / "aaah-state").glob("accounting.*")
    assert path.read_text() == "".join(f"2027-01-15T08:00:00.000001Z 192.0.2.1:40999 {text.encode().hex()}\n"
                                       for text in ("one", "two"))
    assert path.stat().st_mode & 0o777 == 0o600
    again.store.journal.append(record("three"), 2)
    stop(again)
    stop(place.start())
    files = sorted((tmp_path / "aaah-state").glob("accounting.*"))
    assert [len(p.read_text().splitlines()) for p in files] == [2, 1]


def test_a_start_that_was_cut_short_writes_the_same_file_again(tmp_path: Path) -> None:
    """After the export and before the compaction."""
    first = accounting.export([record("one")], tmp_path, 4)
    second = accounting.export([record("one"), record("two")], tmp_path, 4)
    assert first == second == tmp_path / "accounting.4"
    assert len(second.read_text().splitlines()) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["accounting.4"]


def test_no_records_no_file(tmp_path: Path) -> None:
    assert accounting.export([], tmp_path, 1) is None
    assert not list(tmp_path.iterdir())


# ---- replay protection ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("line", "offers"), [
    ("", (True, True)), ('replay_protection = ["timestamps"]', (True, False)), ('replay_protection = ["nonces"]', (False, True))])
def test_what_fhas_may_choose_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, offers: tuple[bool, bool]) -> None:
    place, seen = Place(tmp_path), []

    def role(*arguments: Any, **settings: Any) -> AaahRole:
        seen.append((settings["timestamps"], settings["nonces"]))
        return AaahRole(*arguments, **settings)

    monkeypatch.setattr("servers.home.AaahRole", role)
    text = (tmp_path / "aaah.toml").read_text().replace("[[aaah", f"{line}\n[[aaah")
    (tmp_path / "aaah.toml").write_text(text)
    stop(place.start())
    assert seen == [offers]


@pytest.mark.parametrize(("value", "message"), [("[]", "length >= 1"), ('["none"]', "invalid enum value"), ('"nonces"', "array")])
def test_replay_protection_is_one_of_two(tmp_path: Path, value: str, message: str) -> None:
    place = Place(tmp_path)
    text = (tmp_path / "aaah.toml").read_text().replace("[[aaah", f"replay_protection = {value}\n[[aaah")
    (tmp_path / "aaah.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        place.start()


# ---- the journal becomes an image while the server runs ------------------------------------------------------------------

def compacted(home: Home) -> str:
    return asyncio.run(compact(home.store, home.role.records(1, 10**18), lambda: None, home.leave))


def state_file(home: Home) -> Path:
    assert home.store.directory is not None
    return home.store.directory


def accounted(folder: Path) -> dict[str, list[str]]:
    """{file: what its records say}"""
    return {p.name: [bytes.fromhex(line.split()[2]).decode() for line in p.read_text().splitlines()]
            for p in folder.glob("accounting.*")}


def numbered(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name.startswith(("image", "journal")))


def account(home: Home, *texts: str) -> None:
    for text in texts:
        assert home.store.journal.append(record(text), 2)


def test_accounting_leaves_a_running_journal_and_what_was_learnt_stays(tmp_path: Path) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    folder = state_file(home)
    teach(home, place.everybody.nai[7], 77)
    account(home, *(f"before {k}" for k in range(1000)))
    first = numbered(folder)
    assert "accounting records are in" in compacted(home)
    assert accounted(folder) == {"accounting.2": [f"before {k}" for k in range(1000)]}
    assert numbered(folder) == ["image.3", "journal.3"] != first
    account(home, "between")
    compacted(home)
    assert "accounting records" not in compacted(home), "there were none"
    account(home, "after")
    stop(home)
    again = place.start()
    assert learnt(again) == {place.everybody.nai[7]: (77, bytes((127, 0, 0, 2)) + bytes(12))}
    stop(again)
    files = accounted(folder)
    assert {name: len(texts) for name, texts in files.items()} == {"accounting.2": 1000, "accounting.3": 1, "accounting.5": 1}
    assert (files["accounting.3"], files["accounting.5"]) == (["between"], ["after"])


def test_records_that_come_while_it_becomes_an_image_are_kept_for_the_next(tmp_path: Path) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    account(home, *(f"before {k}" for k in range(900)))

    async def run() -> None:
        working = asyncio.create_task(compact(home.store, home.role.records(1, 10**18), lambda: None, home.leave))
        turns = 0
        while not working.done():
            account(home, f"meanwhile {turns}")
            turns += 1
            await asyncio.sleep(0 if turns < 20 else 0.001)
        assert turns >= 900 // 200, "it left others room"
        await working

    asyncio.run(run())
    compacted(home)
    stop(home)
    files = accounted(state_file(home))
    assert len(files) == 2
    texts = [text for name in sorted(files) for text in files[name]]
    assert texts[:900] == [f"before {k}" for k in range(900)]
    assert texts[900:] == [f"meanwhile {k}" for k in range(len(texts) - 900)]
    assert len(texts) > 900


@pytest.mark.parametrize("broken", ["servers.accounting.Export.finish", "servers.store.store.Compaction.finish",
                                    "servers.store.store.Compaction.add", "servers.accounting.Export.add"])
def test_a_full_disk_loses_no_accounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """Wherever it strikes. The next time takes all."""
    place = Place(tmp_path, volatile="false")
    home = place.start()
    folder = state_file(home)
    teach(home, place.everybody.nai[7], 77)
    account(home, "one", "two")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(broken, full)
        with pytest.raises(OSError, match="No space"):
            compacted(home)
    assert not list(folder.glob("*.new"))
    account(home, "three")
    compacted(home)
    stop(home)
    assert accounted(folder) == {"accounting.2": ["one", "two", "three"]}


def test_a_crash_after_the_export_writes_the_same_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, volatile="false")
    home = place.start()
    folder = state_file(home)
    account(home, "one")
    with monkeypatch.context() as patch:
        patch.setattr("servers.store.store.Compaction.finish", lambda self: os.fsync(self._file.fileno()))
        compacted(home)                                              # nobody hears that it was not published
    account(home, "two")
    stop(home)
    assert accounted(folder) == {"accounting.2": ["one"]}
    stop(place.start())
    assert accounted(folder) == {"accounting.2": ["one", "two"]}
    assert not list(folder.glob("*.new"))


def test_a_volatile_server_is_never_compacted(tmp_path: Path) -> None:
    home = Place(tmp_path).start()
    assert not home.is_due()
    assert home.store.directory is None
    stop(home)
