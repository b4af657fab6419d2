"""AUTH of PANA messages in a capture: keys given by session, or derived from MSKs and what the capture shows. RFC 5191 5.3, 5.4."""
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP

import fastcodec as fc
from loadgen.decode.event import Event
from loadgen.decode.keys import Keys, read_keys
from loadgen.decode.pana_sessions import MOST_SESSIONS, NO_KEY, NO_START, UNSIGNED

sys.path.insert(0, str(Path(__file__).parent))
from decoding import VECTORS, events

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "access.json").read_text())
DERIVED = FILE["derivations"]
RUN = {letter: [bytes.fromhex(v["packet_hex"]) for v in FILE["vectors"] if v["id"].startswith(letter) and v["kind"] == "pana"]
       for letter in ("p-", "q-")}
SIGNED = {letter: [k for k, v in enumerate(v for v in FILE["vectors"] if v["id"].startswith(letter) and v["kind"] == "pana") if "auth" in v]
          for letter in ("p-", "q-")}
SESSION, OTHER = 0x5a0c0001, 0x5a0c0002
NODE = "mn0001@home.example"


def known(folder: Path, *rows: str) -> Keys:
    path = folder / "keys.toml"
    path.touch(0o600)
    path.write_text("".join(f"[[pana]]\n{row}\n" for row in rows))
    return read_keys(path)


def msk(name: str) -> str:
    return f'msk = "{DERIVED[name]["msk"]}"'


def verdicts(found: list[Event], letter: str = "p-") -> list[bool | None]:
    return [found[k].authentic for k in SIGNED[letter]]


@pytest.mark.parametrize("owner", [f"session = {SESSION}", f'nai = "{NODE}"'])
def test_a_session_from_its_start(tmp_path: Path, owner: str) -> None:
    """Authentication, a ping from another address, a new authentication with its own MSK, the end: every AUTH by derived keys."""
    rows = [f"{owner}\n{msk('pana_auth_key_A1')}", f"{owner}\n{msk('pana_auth_key_A2')}"]
    for order in (rows, rows[::-1]):
        found = events(*RUN["p-"], known=known(tmp_path, *order))
        assert verdicts(found) == [True] * 16
        assert [e.number for e in found if e.faults] == []
        assert {e.why for e in found if e.authentic is None} == {UNSIGNED}
        assert {e.nai for e in found[2:]} == {NODE}


def test_other_algorithms_and_an_answer_of_its_own(tmp_path: Path) -> None:
    """HMAC-SHA2-256, a PaC that sends its EAP response in a request, sequence numbers that wrap, an end by the PAA."""
    found = events(*RUN["q-"], known=known(tmp_path, f"session = {OTHER}\n{msk('pana_auth_key_B1')}"))
    assert verdicts(found, "q-") == [True] * 4
    assert not any(e.faults for e in found)


def test_keys_given_by_session(tmp_path: Path) -> None:
    """Wherever the capture begins; a key of one Key-Id is not held against what another signs."""
    first, second = (f"session = {SESSION}\nkey = \"{DERIVED[f'pana_auth_key_{name}']['key']}\"" for name in ("A1", "A2"))
    rest = RUN["p-"][SIGNED["p-"][2]:]
    found = events(*rest, known=known(tmp_path, f"{first}\nkey_id = 1", f"{second}\nkey_id = 2"))
    assert [e.authentic for e in found] == [True] * len(rest)
    found = events(*RUN["p-"], known=known(tmp_path, f"{first}\nkey_id = 1"))
    assert verdicts(found) == [True] * 12 + [None] * 4
    assert {found[k].why for k in SIGNED["p-"][12:]} == {NO_KEY}


def test_the_second_msk_is_not_known(tmp_path: Path) -> None:
    found = events(*RUN["p-"], known=known(tmp_path, f'nai = "{NODE}"\n{msk("pana_auth_key_A1")}'))
    assert verdicts(found) == [True] * 12 + [None] * 4
    assert not any(e.faults for e in found)


def test_without_its_start(tmp_path: Path) -> None:
    found = events(*RUN["p-"][3:], known=known(tmp_path, f"session = {SESSION}\n{msk('pana_auth_key_A1')}"))
    assert {e.authentic for e in found} == {None}
    assert {e.why for e in found if e.message.find(fc.AuthAvp)} == {NO_START}
    nobody = events(*RUN["p-"])
    assert {e.why for e in nobody if e.message.find(fc.AuthAvp)} == {NO_KEY}
    assert {e.why for e in nobody if not e.message.find(fc.AuthAvp)} == {""}


def changed(packet: bytes, **changes: Any) -> bytes:
    """The packet with another message in it."""
    frame = IP(packet)
    message = fc.PanaMessage.decode(bytes(frame["UDP"].payload), strict=False).replace(**changes)
    frame["UDP"].remove_payload()
    del frame["UDP"].chksum, frame["UDP"].len, frame.chksum, frame.len
    return bytes(frame / message.encode())


@pytest.mark.parametrize("rows", [[f"session = {SESSION}\n{msk('pana_auth_key_A1')}"],
                                  [f"session = {SESSION}\nkey = \"{DERIVED['pana_auth_key_A1']['key']}\""]])
def test_what_is_forged_is_wrong(tmp_path: Path, rows: list[str]) -> None:
    """A changed lifetime, a ping without AUTH; and what comes behind them is judged as before."""
    forged = list(RUN["p-"][:13])
    message = fc.PanaMessage.decode(bytes(IP(forged[7])["UDP"].payload))
    longer = [a.replace(value=a.value + 1) if isinstance(a, fc.SessionLifetimeAvp) else a for a in message.avps]
    forged[7:7] = [changed(forged[7], avps=longer)]
    forged.append(changed(forged[10], avps=[]))
    found = events(*forged, known=known(tmp_path, *rows))
    assert [e.number for e in found if e.faults] == [8, 15]
    assert "AuthAvp" in found[7].faults[0]
    assert "absent" in found[14].faults[0]
    assert [e.number for e in found if e.authentic] == [9, 10, 11, 12, 13, 14]


def test_a_forged_beginning_changes_nothing(tmp_path: Path) -> None:
    """Another first request and answer in the midst of a session: its next key still comes of the first ones."""
    rows = [f"session = {SESSION}\n{msk(name)}" for name in ("pana_auth_key_A1", "pana_auth_key_A2")]
    again = [changed(frame, sequence=7, avps=[]) for frame in RUN["p-"][1:3]]
    found = events(*RUN["p-"][:13], *again, *RUN["p-"][13:], known=known(tmp_path, *rows))
    assert [e.authentic for e in found[15:]] == [True] * 10
    assert [e.number for e in found if e.faults] == [14, 15]


def test_what_was_under_way_when_the_key_changed(tmp_path: Path) -> None:
    """The last answer under the old key, captured behind the first request under the new one."""
    rows = [f"session = {SESSION}\n{msk(name)}" for name in ("pana_auth_key_A1", "pana_auth_key_A2")]
    frames = list(RUN["p-"])
    frames[18], frames[19] = frames[19], frames[18]
    found = events(*frames, known=known(tmp_path, *rows))
    assert verdicts(found) == [True] * 16


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_the_key_covers_the_whole_beginning(tmp_path: Path, at: int) -> None:
    """First request and answer whole, both nonces: another octet in one, and no key fits."""
    frames = list(RUN["p-"][:9])
    message = fc.PanaMessage.decode(bytes(IP(frames[at])["UDP"].payload))
    kind = fc.NonceAvp if at > 2 else fc.EapPayloadAvp
    other = [a.replace(value=a.value[:-1] + bytes((a.value[-1] ^ 1,))) if isinstance(a, kind) else a for a in message.avps]
    frames[at] = changed(frames[at], avps=other)
    found = events(*frames, known=known(tmp_path, f"session = {SESSION}\n{msk('pana_auth_key_A1')}"))
    assert [e.authentic for e in found[7:]] == [False, False]


def test_what_another_program_signed(tmp_path: Path) -> None:
    """Recorded from OpenPANA, key from the MSK of hostapd."""
    live = FILE["live_pana"]
    octets = [bytes.fromhex(text) for text in live["messages"]]
    frames = []
    for message in octets:
        by_paa = sent_by_paa(fc.PanaMessage.decode(message, strict=False))
        ends = {"src": "10.0.0.1", "dst": "10.0.0.2"} if by_paa else {"src": "10.0.0.2", "dst": "10.0.0.1"}
        frames.append(bytes(IP(**ends) / UDP(sport=716 if by_paa else 40716, dport=40716 if by_paa else 716) / message))
    session = fc.PanaMessage.decode(octets[-1], strict=False).session
    found = events(*frames, known=known(tmp_path, f'session = {session}\nmsk = "{live["msk"]}"'))
    signed = [e for e in found if e.message is not None and e.message.find(fc.AuthAvp)]
    assert len(signed) >= 4
    assert {e.authentic for e in signed} == {True}


def sent_by_paa(message: fc.PanaMessage) -> bool:
    """In that recording the PAA asks while it authenticates, and answers otherwise."""
    request = bool(message.flags & fc.PanaFlag.PANA_REQUEST)
    return request == (message.type == fc.PanaType.PANA_AUTH) and message.type != fc.PanaType.PANA_CLIENT_INITIATION


def test_sessions_are_bounded() -> None:
    keys = Keys()
    start = fc.PanaMessage.decode(bytes.fromhex(VECTORS["p-02"]["message_hex"]))
    for number in range(MOST_SESSIONS + 50):
        message = start.replace(session=number)
        keys.pana.follow(Event(1, 0, 0, source="10.0.0.1", source_port=716), message, message.encode())
    assert len(keys.pana._seen) == MOST_SESSIONS
    assert keys.pana.session_of(Event(1, 0, 0, source="10.0.0.1", source_port=716), start.replace(session=49)) is None


def test_the_command(tmp_path: Path) -> None:
    """Exit 5 when a key is wrong, 0 when it is right; messages in hexadecimal, one a line. The second authentication is right."""
    lines = "\n".join(v["message_hex"] for v in FILE["vectors"] if v["id"].startswith("p-") and v["kind"] == "pana")
    for digits, code in ((DERIVED["pana_auth_key_A1"]["msk"], 0), ("ff" * 64, 5)):
        path = tmp_path / "keys.toml"
        path.touch(0o600)
        path.write_text(f'[[pana]]\nsession = {SESSION}\nmsk = "{digits}"\n[[pana]]\nsession = {SESSION}\n{msk("pana_auth_key_A2")}\n')
        done = subprocess.run([sys.executable, "-c", "from loadgen.cli.main import run; run()", "decode", "-", "--keys", str(path)],
                              input=lines, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout
        assert ("16 authentic; 0 wrong" if code == 0 else "4 authentic; 2 wrong") in done.stderr
        assert "pana" not in done.stderr


def test_help_tells_the_format() -> None:
    done = subprocess.run([sys.executable, "-c", "from loadgen.cli.main import run; run()", "decode", "--help"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert "[[pana]]" in done.stdout
    assert "msk = " in done.stdout


@pytest.mark.parametrize("kind", [fc.PrfAlgorithmAvp, fc.IntegrityAlgorithmAvp])
def test_algorithms_that_are_not_known(tmp_path: Path, kind: type[Any]) -> None:
    """Then nothing can be derived, and nothing is held against anybody."""
    frames = list(RUN["p-"][:9])
    message = fc.PanaMessage.decode(bytes(IP(frames[2])["UDP"].payload))
    frames[2] = changed(frames[2], avps=[a.replace(value=2**32 - 1) if isinstance(a, kind) else a for a in message.avps])
    found = events(*frames, known=known(tmp_path, f"session = {SESSION}\n{msk('pana_auth_key_A1')}"))
    assert [(e.authentic, e.why) for e in found[7:]] == [(None, NO_START)] * 2
