"""Mistakes of `mipstorm decode`'s user: one line that names the place, exit 2."""
import gzip
import struct
import subprocess
import sys
from pathlib import Path

import pytest

REQUEST = "01020708c0000219cb00710ac6336401c812ebc010000001201400000101a22d660a6bbe0f3f261a8588ad8e867b"
RADIUS = '[[radius]]\nnetwork = "127.0.0.0/8"\n'
PANA = "[[pana]]\nsession = 5\n"
MOBILE = "[[mobile]]\nspi = 257\n"


def decode(*arguments: object, text: str = "") -> tuple[int, list[str], str]:
    """Exit code, lines of standard error, standard output."""
    done = subprocess.run([sys.executable, "-c", "from loadgen.cli.main import run; run()", "decode", *map(str, arguments)],
                          input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr.splitlines(), done.stdout


def keys_file(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.touch(0o600)
    path.write_text(text)
    return path


@pytest.mark.parametrize(("text", "place"), [
    (MOBILE + 'key = "zz"\n', "mobile: SPI 257: key: is no hexadecimal"), (MOBILE + 'key = ""\n', "mobile: SPI 257: key: is empty"),
    ('[[mobile]]\nspi = -1\nkey = "00"\n', ":2: mobile[0].spi: "), ('[[mobile]]\nspi = 4294967296\nkey = "00"\n', ":2: mobile[0].spi: "),
    (RADIUS + 'secret = "a"\nsecret_hex = "00"\n', "127.0.0.0/8: both secret and secret_hex"),
    (RADIUS + 'secret_hex = "0"\n', "127.0.0.0/8: secret_hex: is no hexadecimal"), (RADIUS, "127.0.0.0/8: a secret is missing"),
    ("ports = { radius = [70000] }\n", ":1: ports"), ("ports = { radius = [0] }\n", ":1: ports"),
    ("ports = { foo = [5] }\n", ":1: ports: invalid enum value 'foo'"),
    (PANA + 'key = "zz"\n', "pana: session 5: key: is no hexadecimal"), (PANA + 'msk = ""\n', "pana: session 5: a key is missing"),
    (PANA + 'msk = "00"\nkey = "00"\n', "pana: session 5: both key and msk"), (PANA + 'msk = "00"\nkey_id = 1\n', "an msk has no key_id"),
    (PANA + 'msk = "00"\nnai = "a@b"\n', "an msk is of a session or of a node"), ('[[pana]]\nmsk = "00"\n', "an msk is of a session or"),
    ('[[pana]]\nnai = "a@b"\nkey = "00"\n', "pana: NAI a@b: a key is of one session"),
    ("[[pana]]\nsession = -1\n", ":2: pana[0].session: ")])
def test_what_is_wrong_in_a_keys_file_is_named(tmp_path: Path, text: str, place: str) -> None:
    code, lines, _ = decode(REQUEST, "--keys", keys_file(tmp_path, text))
    assert (code, len(lines)) == (2, 1)
    assert place in lines[0]
    assert "zz" not in lines[0], "keys are not shown"


def test_a_keys_file_without_end_is_refused() -> None:
    code, lines, _ = decode(REQUEST, "--keys", "/dev/zero")
    assert (code, len(lines)) == (2, 1)
    assert "is longer than" in lines[0]


def test_hexadecimal_that_is_none_is_one_line() -> None:
    code, lines, shown = decode("-", text=f"{REQUEST}\nz\tz\n")
    assert (code, len(lines), len(shown.splitlines())) == (2, 1, 1)
    assert r"'z\tz': is no hexadecimal" in lines[0]


def test_hexadecimal_as_programmers_write_it() -> None:
    assert decode("0x" + REQUEST)[2] == decode(REQUEST)[2] == decode(REQUEST[:20], REQUEST[20:])[2] != ""


def test_one_capture_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "run.pcap"
    path.write_bytes(b"")
    for others in ([path], [REQUEST]):
        code, lines, _ = decode(path, *others)
        assert (code, len(lines)) == (2, 1)
        assert "one capture, or one message in hexadecimal, at a time" in lines[0]


@pytest.mark.parametrize("compress", [False, True])
def test_nothing_is_nothing_wherever_it_comes_from(compress: bool, tmp_path: Path) -> None:
    """Neither right nor wrong: a usage error, for whatever was to write it has failed. A capture of no frames is in order."""
    path = tmp_path / "run.pcap"
    path.write_bytes(gzip.compress(b"") if compress else b"")
    assert decode(path) == (2, [f"mipstorm: {path}: nothing to decode: it is empty"], "")
    for text in ("", "\n \n"):
        assert decode("-", text=text) == (2, ["mipstorm: -: nothing to decode: it is empty"], "")
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    code, lines, shown = decode(path)
    assert (code, len(lines), shown) == (0, 1, "")


def test_frames_of_other_kinds_are_counted(tmp_path: Path) -> None:
    """Of link type 147, which nobody knows: the last line says that they were there."""
    path = tmp_path / "run.pcap"
    frame = struct.pack("<IIII", 0, 0, 4, 4) + b"abcd"
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 147) + 3 * frame)
    code, lines, shown = decode(path)
    assert (code, shown) == (0, "")
    assert "3 frames: no message known, 3 of other kinds (--all names them)" in lines[0]
    assert decode(path, "--all")[2].count("a frame of link type 147") == 3


def test_dictionaries_of_the_user_name_attributes(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.acme"
    path.write_text("VENDOR Acme 9999\nBEGIN-VENDOR Acme\nATTRIBUTE Acme-Colour 7 integer\nVALUE Acme-Colour Red 16\nEND-VENDOR Acme\n")
    message = "01010020" + "00" * 16 + "1a0c0000270f070600000010"
    code, _, shown = decode(message, "--full", "--dictionary", path)
    assert (code, "Acme-Colour = 16 (Red)" in shown) == (0, True)
    assert "Attr-26.9999.7 = 00000010" in decode(message, "--full")[2]
    for text, place in (("ATTRIBUTE X\n", f"{path}:1: "), ("VENDOR mipstorm 32473 format=2,1\n", "vendor mipstorm")):
        path.write_text(text)
        code, lines, _ = decode(message, "--dictionary", path)
        assert (code, len(lines), place in lines[0]) == (2, 1, True)
    code, lines, _ = decode(message, "--dictionary", tmp_path / "none")
    assert (code, len(lines)) == (2, 1)
