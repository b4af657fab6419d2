"""Subscribers in an LMDB file: what goes in comes out, places are kept, and a bad file is refused in one line."""

from pathlib import Path

import lmdb
import msgspec
import numpy as np
import pytest

from servers.errors import ConfigurationError
from servers.tables import subscribers_csv, subscribers_file, subscribers_lmdb
from servers.tables.subscribers import SubscriberTable
from servers.tables.subscribers_csv import Subscribers, generate

Row = tuple[bytes, int, bytes, bytes, str, str]


def rows(subscribers: Subscribers) -> list[Row]:
    return [(subscribers.nai[i], int(subscribers.spi[i]), subscribers.key[i], subscribers.access_secret[i],
             subscribers.classes[subscribers.class_index[i]], subscribers.locations[subscribers.location_index[i]])
            for i in range(len(subscribers))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subscribers.lmdb"


@pytest.mark.parametrize("count", [1, 2, 4095, 4096, 4097, 9000])
def test_round_trip(path: Path, count: int) -> None:
    """Chunks are of 4096."""
    before = generate(count, classes=("gold", "standard"), locations=("nas-1", "nas-2", "nas-3"))
    subscribers_lmdb.write(before, path)
    assert rows(subscribers_lmdb.read(path)) == rows(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_is_read_by_its_name(tmp_path: Path, path: Path) -> None:
    before = generate(3)
    subscribers_lmdb.write(before, path)
    subscribers_csv.write(before, tmp_path / "subscribers.csv")
    assert rows(subscribers_file.read(path)) == rows(subscribers_file.read(tmp_path / "subscribers.csv")) == rows(before)


def imported(folder: Path, path: Path, subscribers: Subscribers) -> int:
    subscribers_csv.write(subscribers, folder / "new.csv")
    return subscribers_lmdb.import_csv(folder / "new.csv", path)


def chosen(subscribers: Subscribers, *which: int) -> Subscribers:
    return subscribers_lmdb.picked(subscribers, np.array(which, dtype=np.int64))


def test_an_import_moves_nobody(tmp_path: Path, path: Path) -> None:
    everybody = generate(8)
    assert imported(tmp_path, path, chosen(everybody, 0, 1, 2, 3, 4)) == 5
    assert imported(tmp_path, path, chosen(everybody, 6, 4, 0, 5, 2, 7)) == 6
    after = subscribers_lmdb.read(path)
    assert [after.nai[i] for i in range(len(after))] == [everybody.nai[i] for i in (0, 6, 2, 5, 4, 7)]
    assert imported(tmp_path, path, chosen(everybody, 7, 2)) == 2
    after = subscribers_lmdb.read(path)
    assert [after.nai[i] for i in range(len(after))] == [b"", b"", everybody.nai[2], b"", b"", everybody.nai[7]]
    assert rows(after)[2] == rows(everybody)[2]


def test_places_without_a_subscriber(tmp_path: Path, path: Path) -> None:
    everybody = generate(4)
    imported(tmp_path, path, everybody)
    imported(tmp_path, path, chosen(everybody, 1, 3))
    table = SubscriberTable.from_columns(subscribers_lmdb.read(path))
    assert len(table) == 4
    assert subscribers_lmdb.export_csv(path, tmp_path / "out.csv") == 2
    assert rows(subscribers_csv.read(tmp_path / "out.csv")) == [rows(everybody)[1], rows(everybody)[3]]


def test_export_of_an_import_is_the_same_file(tmp_path: Path, path: Path) -> None:
    imported(tmp_path, path, generate(5000, classes=("a", "b")))
    subscribers_lmdb.export_csv(path, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "new.csv").read_bytes()


def test_a_bad_csv_changes_nothing(tmp_path: Path, path: Path) -> None:
    imported(tmp_path, path, generate(3))
    before = path.read_bytes()
    (tmp_path / "new.csv").write_text("nonsense\n")
    with pytest.raises(ConfigurationError, match=r"new\.csv:1: "):
        subscribers_lmdb.import_csv(tmp_path / "new.csv", path)
    assert path.read_bytes() == before


# ---- bad files -----------------------------------------------------------------------------------------------------------

def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        subscribers_lmdb.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path}: ", "")


def change(path: Path, key: bytes, value: bytes | None) -> None:
    """Puts (or, None, removes) one record."""
    with lmdb.open(str(path), subdir=False, lock=False, map_size=1 << 24) as environment, \
            environment.begin(write=True) as transaction:
        if value is None:
            transaction.delete(key)
        else:
            transaction.put(key, value)


def test_no_file(path: Path) -> None:
    assert refusal(path) == "cannot be read: No such file or directory"


def test_everyone_may_read_it(path: Path) -> None:
    subscribers_lmdb.write(generate(1), path)
    path.chmod(0o644)
    assert refusal(path) == f"holds secrets but everyone may read it; run: chmod 600 {path}"


def test_another_file(path: Path) -> None:
    path.write_bytes(b"nai,mn_aaa_spi\n" * 1000)
    path.chmod(0o600)
    assert refusal(path) == "is not an LMDB file of subscribers"


def test_cut_short(path: Path) -> None:
    """Reading the missing pages would end the process with SIGBUS."""
    subscribers_lmdb.write(generate(9000), path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)
    assert refusal(path) == "is not an LMDB file of subscribers: it was cut short"


def meta(**changes: object) -> bytes:
    return msgspec.json.encode({"format": subscribers_lmdb.FORMAT, "count": 2, "classes": ["standard"],
                                "locations": ["nas-1"]} | changes)


FIRST = bytes(4)


@pytest.mark.parametrize(("key", "value", "message"), [
    (b"meta", None, "is not an LMDB file of subscribers: Input data was truncated"),
    (b"meta", meta(format="mipstorm.subscribers/9"),
     "is not an LMDB file of subscribers: its format is mipstorm.subscribers/9, not mipstorm.subscribers/1"),
    (b"meta", meta(count=3), "holds 2 subscribers instead of 3"),
    (b"meta", meta(classes=[]), "a class (or its length) is not within 0 to -1"),
    (FIRST, None, "holds no subscribers"), (FIRST, b"", "is not an LMDB file of subscribers: a chunk is too short"),
    (FIRST, b"\xff\xff\xff\xff", "is not an LMDB file of subscribers: a chunk is too short"),
    (FIRST, b"\2\0\0\0" + bytes(22), "holds no subscribers"),
    (FIRST, b"\2\0\0\0" + bytes(23), "is not an LMDB file of subscribers: a chunk has another size than its columns"),
], ids=str)
def test_records_that_are_wrong(path: Path, key: bytes, value: bytes | None, message: str) -> None:
    subscribers_lmdb.write(generate(2), path)
    change(path, key, value)
    assert refusal(path) == message


@pytest.mark.parametrize(("spi", "nai", "key", "secret", "what"), [
    (255, b"a@b", b"k", b"s", "SPI"), (256, b"a" * 254, b"k", b"s", "NAI"), (256, b"a@b", b"", b"s", "key"),
    (256, b"a@b", b"k" * 65, b"s", "key"), (256, b"a@b", b"k", b"", "access secret")])
def test_rules_of_the_csv_file_hold_here(path: Path, spi: int, nai: bytes, key: bytes, secret: bytes, what: str) -> None:
    subscribers_lmdb.write(generate(1), path)
    change(path, FIRST, b"\1\0\0\0" + spi.to_bytes(4, "little") + bytes(4) + bytes((len(nai), len(key), len(secret)))
           + nai + key + secret)
    change(path, b"meta", meta(count=1))
    assert refusal(path).startswith(f"a {what} (or its length) is not within ")
