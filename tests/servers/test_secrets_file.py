"""Files of shared secrets and addresses with ports: what is taken and what is refused."""
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from servers.endpoint import parse_endpoint
from servers.errors import ConfigurationError
from servers.secrets_file import Secret, read_secret


def saved(folder: Path, octets: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(octets)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("octets", [b"correct horse battery", b"correct horse battery\n", b"correct horse battery\r\n"])
def test_the_end_of_the_line_is_no_part_of_the_secret(tmp_path: Path, octets: bytes) -> None:
    secret = read_secret(saved(tmp_path, octets))
    assert secret.octets == b"correct horse battery"
    assert secret.weakness is None


@pytest.mark.parametrize(("octets", "message"), [
    (b"", "is empty"), (b"\n", "is empty"), (b"one\ntwo\n", "secret:2: a second line")])
def test_no_secret_or_two_are_refused(tmp_path: Path, octets: bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_secret(saved(tmp_path, octets))


def test_a_secret_that_everyone_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="everyone may read it; run: chmod 600"):
        read_secret(saved(tmp_path, b"correct horse battery", 0o644))
    assert read_secret(saved(tmp_path, b"correct horse battery", 0o640)).octets


def test_a_short_secret_is_warned_of_and_none_is_shown() -> None:
    assert Secret(b"x" * 12).weakness is None
    assert "11 octets" in str(Secret(b"x" * 11).weakness)
    assert repr(Secret(b"hidden")) == str(Secret(b"hidden")) == "Secret(***)"
    assert Secret(b"a") == Secret(b"a") != Secret(b"b")


def test_endpoints() -> None:
    endpoint = parse_endpoint("127.0.0.1:1812")
    assert (endpoint.address, endpoint.port, str(endpoint)) == (IPv4Address("127.0.0.1"), 1812, "127.0.0.1:1812")
    assert parse_endpoint("0.0.0.0:0").port == 0
    assert len({endpoint, parse_endpoint("127.0.0.1:1812"), parse_endpoint("127.0.0.1:1813")}) == 2


@pytest.mark.parametrize("text", ["", "127.0.0.1", "127.0.0.1:", ":1812", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]:1",
                                  "127.0.0.1:+1", "127.0.0.01:1", "localhost:1", "127.0.0.1:\u0661"])
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="'"):
        parse_endpoint(text)
