"""The subscribers file: what is written is read back, and every mistake is named with its line."""
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.errors import ConfigurationError
from servers.tables import subscribers_csv
from servers.tables.subscribers_csv import HEADER, Octets, Subscribers

TOP = ",".join(HEADER) + "\n"
UMLAUTS = "\u00fc" * 127  # 254 octets of UTF-8
KEY = "00112233445566778899aabbccddeeff"
GOOD = f"mn{{}}@home.example,4096,{KEY},secret-text,gold,nas1\n"


def saved(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "subscribers.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def same(one: Subscribers, other: Subscribers) -> bool:
    """Equal row by row."""
    return all(list(getattr(one, name)) == list(getattr(other, name)) for name in
               ("nai", "spi", "key", "access_secret", "classes", "class_index", "locations", "location_index"))


def test_generated_subscribers_are_read_back(tmp_path: Path) -> None:
    made = subscribers_csv.generate(10_001, classes=("gold", "silver"), locations=("nas1", "nas2", "nas3"))
    subscribers_csv.write(made, tmp_path / "s.csv")
    assert (tmp_path / "s.csv").stat().st_mode & 0o777 == 0o600
    assert same(subscribers_csv.read(tmp_path / "s.csv"), made)
    assert (made.nai[0], made.nai[10_000]) == (b"mn000000@home.example", b"mn010000@home.example")
    assert set(np.diff(made.nai.offsets)) == {21}
    assert len({made.key[i] for i in range(len(made))}) == 10_001
    again = subscribers_csv.generate(10_001)
    assert list(again.nai) == list(made.nai)
    assert again.key[0] != made.key[0]


def test_names_keep_one_length_beyond_a_million() -> None:
    made = subscribers_csv.generate(1_000_001)
    assert set(np.diff(made.nai.offsets)) == {22}
    assert made.nai[-1] == b"mn1000000@home.example"


def test_writing_over_a_readable_file_leaves_a_private_one(tmp_path: Path) -> None:
    path = saved(tmp_path, "old", 0o644)
    subscribers_csv.write(subscribers_csv.generate(3), path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_columns_of_unequal_and_foreign_text(tmp_path: Path) -> None:
    rows = ['j\u00fcrgen@home.example,256,AB,"a,""b",gold,', "", f"a@b,4294967295,{'cd' * 64},x,,nas", ""]
    path = saved(tmp_path, "\ufeff" + TOP + "\n".join(rows))
    read = subscribers_csv.read(path)
    assert list(read.nai) == ["j\u00fcrgen@home.example".encode(), b"a@b"]
    assert read.spi.tolist() == [256, 2**32 - 1]
    assert list(read.key) == [b"\xab", b"\xcd" * 64]
    assert list(read.access_secret) == [b'a,"b', b"x"]
    assert [read.classes[i] for i in read.class_index] == ["gold", ""]
    assert [read.locations[i] for i in read.location_index] == ["", "nas"]


def test_a_row_is_reached_like_in_any_sequence() -> None:
    rows = Octets.of([b"a", b"", b"ccc"])
    assert (list(rows), rows[-1], rows[1:]) == ([b"a", b"", b"ccc"], b"ccc", [b"", b"ccc"])
    with pytest.raises(IndexError):
        rows[3]


ROWS = [
    ("a@b,4096", ":2: 2 fields instead of 6"),
    (f",4096,{KEY},s,,", ":2: the NAI must have 1 to 253 octets, not 0"),
    (f"{'n' * 254},4096,{KEY},s,,", ":2: the NAI must have 1 to 253 octets, not 254"),
    (f"{UMLAUTS},4096,{KEY},s,,", ":2: the NAI must have 1 to 253 octets, not 254"),
    (f"a@b,255,{KEY},s,,", ":2: mn_aaa_spi must be a number from 256 to 4294967295, not '255'"),
    (f"a@b,4294967296,{KEY},s,,", "not '4294967296'"),
    (f"a@b,1_000,{KEY},s,,", "not '1_000'"),
    (f"a@b, 300,{KEY},s,,", "not ' 300'"),
    (f"a@b,\u0663\u0663\u0663,{KEY},s,,", "not '\u0663\u0663\u0663'"),
    (f"a@b,,{KEY},s,,", "not ''"),
    ("a@b,4096,xyz,s,,", ":2: mn_aaa_key is not hexadecimal"),
    ("a@b,4096,abc,s,,", ":2: mn_aaa_key is not hexadecimal"),
    ("a@b,4096,ab cd,s,,", ":2: mn_aaa_key is not hexadecimal (there are blanks in it)"),
    ("a@b,4096,,s,,", ":2: mn_aaa_key must have 1 to 64 octets, not 0"),
    (f"a@b,4096,{'ab' * 65},s,,", ":2: mn_aaa_key must have 1 to 64 octets, not 65"),
    (f"a@b,4096,{KEY},,,", ":2: access_secret must have 1 to 253 octets, not 0"),
    (f"a@b,4096,{KEY},s,{'c' * 254},", ":2: class must have at most 253 octets, not 254"),
    (f"a@b,4096,{KEY},s,,{'c' * 254}", ":2: location must have at most 253 octets, not 254"),
    (f'a@b,4096,{KEY},"s,,', ":2: unexpected end of data"),
]


@pytest.mark.parametrize("nai", ["a @b", "a\tb@c", "a@b\x7f", " a@b"])
def test_a_nai_that_no_server_takes_is_named(tmp_path: Path, nai: str) -> None:
    with pytest.raises(ConfigurationError, match=":2: the NAI .* has a blank or an invisible character"):
        subscribers_csv.read(saved(tmp_path, TOP + f"{nai},4096,{KEY},s,,\n"))


@pytest.mark.parametrize(("row", "message"), ROWS)
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        subscribers_csv.read(saved(tmp_path, TOP + row + "\n"))
    assert KEY not in str(caught.value)


def test_two_odd_keys_that_make_an_even_one_are_not_let_through(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=":2: mn_aaa_key is not hexadecimal"):
        subscribers_csv.read(saved(tmp_path, TOP + "a@b,4096,abc,s,,\nb@b,4096,def,s,,\n"))


def test_the_line_counts_blank_lines_and_any_number_of_rows_before(tmp_path: Path) -> None:
    many = "".join(GOOD.format(i) for i in range(5000))
    with pytest.raises(ConfigurationError, match=r"subscribers.csv:5003: mn_aaa_key"):
        subscribers_csv.read(saved(tmp_path, TOP + many + "\nz@b,4096,x,s,,\n"))


def test_a_doubled_nai_is_named_with_both_lines(tmp_path: Path) -> None:
    text = TOP + "".join(GOOD.format(i % 4500) for i in range(5000))
    with pytest.raises(ConfigurationError,
                       match=r"subscribers.csv:4502: NAI 'mn0@home.example' stands in line 2 already"):
        subscribers_csv.read(saved(tmp_path, text))


@pytest.mark.parametrize(("text", "message"), [
    ("", "is empty; its first line must be nai,"),
    ("nai,key\n", ":1: the first line must be nai,"),
    (TOP, "holds no subscribers"),
    (TOP.encode() + b"a\xff@b,4096,00,s,,\n", "is not UTF-8 text near line 1")])
def test_a_file_that_is_none(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        subscribers_csv.read(saved(tmp_path, text))


def test_a_file_that_others_may_read_or_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds secrets but everyone may read it; run: chmod 600 "):
        subscribers_csv.read(saved(tmp_path, TOP + GOOD.format(1), 0o604))
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        subscribers_csv.read(tmp_path / "none.csv")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        subscribers_csv.read(tmp_path)


FIELD = st.text(st.sampled_from(list('ab@0 9_",\n\r;\u00fc\u0663')), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(FIELD, min_size=6, max_size=6), min_size=1, max_size=3), st.booleans())
def test_both_checks_agree_on_any_rows(tmp_path: Path, rows: list[list[str]], quoted: bool) -> None:
    """The check of whole columns and that of single rows: neither lets pass what the other refuses."""
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quoted else text
    text = TOP + "".join(",".join(map(cell, row)) + "\n" for row in rows)
    try:
        read = subscribers_csv.read(saved(tmp_path, text))
    except ConfigurationError:
        return
    assert all(subscribers_csv.row_fault([read.nai[i].decode(), str(read.spi[i]), read.key[i].hex(),
                                          read.access_secret[i].decode(), "", ""]) is None for i in range(len(read)))


def test_more_classes_or_locations_than_fit_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"mn{i}@b,4096,00,s,class{i},\n" for i in range(65))
    with pytest.raises(ConfigurationError, match=":66: more than 64 different classes"):
        subscribers_csv.read(saved(tmp_path, TOP + rows))
    rows = "".join(f"mn{i}@b,4096,00,s,,nas{i}\n" for i in range(2**16 + 1))
    with pytest.raises(ConfigurationError, match=":65538: more than 65536 different locations"):
        subscribers_csv.read(saved(tmp_path, TOP + rows))


@given(st.lists(st.sampled_from(["4096", "255", "0300", "1e3", "99999999999", "", "\u0663"]), min_size=1, max_size=3),
       st.lists(st.sampled_from(["ab", "a", "a b", "", "zz", "ab" * 64, "ab" * 65]), min_size=3, max_size=3),
       st.lists(st.sampled_from(["s", "", "s" * 253, "\u00fc" * 127]), min_size=3, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_checks_agree_on_near_misses(tmp_path: Path, spi: list[str], keys: list[str], secrets: list[str]) -> None:
    rows = [[f"mn{i}@b", s, k, a, "c", "l"] for i, (s, k, a) in enumerate(zip(spi, keys, secrets, strict=False))]
    faults = [fault for fault in map(subscribers_csv.row_fault, rows) if fault]
    path = saved(tmp_path, TOP + "".join(",".join(row) + "\n" for row in rows))
    if faults:
        with pytest.raises(ConfigurationError, match=re.escape(faults[0])):
            subscribers_csv.read(path)
    else:
        assert len(subscribers_csv.read(path)) == len(rows)
