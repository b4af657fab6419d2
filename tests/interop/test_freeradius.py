"""FreeRADIUS as the AAAH of our generator."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.peers import SECRET, document, freeradius, mipstorm, private, subscribers

pytestmark = pytest.mark.interop
NODES = 400


def users(folder: Path, signed: bool) -> str:
    """The subscribers as its `files` module wants them, with what a NAS needs of an Accept."""
    made = subscribers(folder, NODES)
    private(folder / "secret", SECRET.decode() + "\n")
    sign = "\tMessage-Authenticator = 0x00,\n" if signed else ""
    return "".join(f'{made.nai[k].decode()}\tCleartext-Password := "{made.access_secret[k].decode()}"\n{sign}'
                   f"\tMipstorm-FHA-IP-Address = 127.0.0.1,\n\tFramed-IP-Address = 127.64.0.1\n\n" for k in range(NODES))


def access(folder: Path, port: int, *more: str) -> dict[str, object]:
    return document(mipstorm(folder, "load", "--radius", f"127.0.0.1:{port}", "--secret-file", "secret", "--subscribers",
                             "subscribers.csv", "--steps", "access", "-c", "16", "-q", "--json", "-", *more))


@pytest.mark.parametrize(("signed", "rule"), [(True, "yes"), (True, "auto"), (False, "no"), (False, "auto")])
def test_access_of_our_generator(tmp_path: Path, signed: bool, rule: str) -> None:
    with freeradius(tmp_path, users(tmp_path, signed)) as port:
        result = access(tmp_path, port, "--message-authenticator", rule)
    assert result["verdict"] == "ok", result["reasons"]
    assert result["replies"]["radius"] == {"2": NODES}  # type: ignore[index]
    assert result["packets"]["bad_authenticator"] == 0  # type: ignore[index]
    assert result["relaxed"] == ([] if rule == "yes" else ["answers without Message-Authenticator taken"])


def test_unsigned_accepts_are_not_taken_by_default(tmp_path: Path) -> None:
    """FreeRADIUS 3.2.1 signs no Accept of its own accord; an answer without is no answer (CVE-2024-3596)."""
    with freeradius(tmp_path, users(tmp_path, signed=False)) as port:
        result = access(tmp_path, port, "-n", "8", "--tries", "2", "--timeout", "0.2")
    assert (result["verdict"], result["replies"]["radius"]) == ("goal-missed", {})  # type: ignore[index]
    assert result["bootstraps"]["timed_out"] == 8  # type: ignore[index]
    assert result["packets"]["bad_authenticator"] >= 8  # type: ignore[index]
    assert str(result["hint"]).startswith(
        "16 RADIUS answers have no Message-Authenticator, which is demanded: give --message-authenticator auto")


def test_wrong_secrets_of_nodes_are_rejected(tmp_path: Path) -> None:
    text = users(tmp_path, signed=True).replace('Password := "', 'Password := "not-')
    with freeradius(tmp_path, text) as port:
        result = access(tmp_path, port, "-n", "20")
    assert (result["verdict"], result["replies"]["radius"]) == ("goal-missed", {"3": 20})  # type: ignore[index]
