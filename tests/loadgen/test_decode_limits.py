"""What `mipstorm decode` remembers and how deep it looks: at each bound, and beyond it."""
from __future__ import annotations

import sys
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

import fastcodec as fc
from fastcodec.capture import LinkType
from loadgen.decode import exchanges, findings, keys, links, reader
from loadgen.decode.event import Event
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.keys import Keys
from servers.errors import ConfigurationError

sys.path.insert(0, str(Path(__file__).parent))
from decoding import HERE, REQUEST, THERE, event, packet


@pytest.mark.parametrize("kind", [4, 17, 47, 55, 273])
def test_tunnels_in_one_another(kind: int) -> None:
    octets = packet(REQUEST)
    for _ in range(reader.DEEPEST):
        octets = fc.wrap(kind, octets, HERE, THERE)
    found = event(octets)
    assert (found.protocol, len(found.layers), found.faults) == ("mip4", reader.DEEPEST, [])
    found = event(fc.wrap(kind, octets, HERE, THERE))
    assert (found.protocol, found.is_part, found.note) == ("", True, "more than 4 tunnels in one another")


@pytest.mark.parametrize("link", [LinkType.ETHERNET, LinkType.LINUX_SLL, LinkType.LINUX_SLL2])
def test_tags_of_a_frame(link: int) -> None:
    def tagged(tags: int) -> bytes:
        kinds = b"".join(b"\x81\0\0\3" for _ in range(tags)) + b"\x08\0"
        if link == LinkType.LINUX_SLL2:            # the EtherType stands first, what follows a tag behind the header
            return kinds[:2] + bytes(18) + kinds[2:] + packet(REQUEST)
        return bytes(12 if link == LinkType.ETHERNET else 14) + kinds + packet(REQUEST)
    for tags in (0, 1, links.MOST_TAGS):
        assert event(tagged(tags), link=link).protocol == "mip4", tags
    found = event(tagged(links.MOST_TAGS + 1), link=link)
    assert (found.protocol, found.note) == ("", f"a frame of link type {link} that is too short or not known")


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 7])
def test_tags_that_are_cut(cut: int) -> None:
    assert links.peel(LinkType.ETHERNET, (bytes(12) + b"\x81\0\0\3\x81\0\0\3")[:12 + cut]) is None


# ---- what is remembered

def at(number: int, time_ns: int, *, back: bool = False) -> Event:
    return Event(number, time_ns, 0, source=THERE if back else HERE, destination=HERE if back else THERE)


def test_a_minute() -> None:
    oldest = exchanges.OLDEST_NS
    for late, answered in ((oldest, 1), (oldest + 1, None), (-oldest, 1), (-oldest - 1, None)):
        seen = Exchanges()
        start = 10**18
        seen.request(at(1, start), ("radius", 7), "content", None)
        reply = at(2, start + late, back=True)
        seen.reply(reply, ("radius", 7))
        assert reply.answers == answered
        again = at(3, start + late)
        seen.request(again, ("radius", 7), "content", None)
        assert again.repeats == answered


def test_most_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first; one that is repeated is young again."""
    monkeypatch.setattr(exchanges, "MOST_REQUESTS", 3)
    seen = Exchanges()
    for number in (1, 2, 3):
        seen.request(at(number, 0), ("radius", number), number, None)
    seen.request(at(4, 0), ("radius", 1), 1, None)
    seen.request(at(5, 0), ("radius", 5), 5, None)
    answers = []
    for key in (1, 2, 3, 5):
        reply = at(9, 1, back=True)
        seen.reply(reply, ("radius", key))
        answers.append(reply.answers)
    assert answers == [1, None, 3, 5]


def test_most_nodes_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that were derived go with their node, those of the file stay; secrets are looked up again."""
    monkeypatch.setattr(keys, "MOST_NODES", 2)
    monkeypatch.setattr(keys, "MOST_ADDRESSES", 2)
    known = Keys()
    known.for_all[0x200] = fc.Secret(bytes(16))
    known.learn("a", 0x200, bytes(16), 0x1001)
    known.of("b")
    assert set(known.of("a")) == {0x200, 0x1001}
    known.of("c")
    assert set(known.of("a")) == {0x200}
    secret = fc.Secret(b"secret")
    known.networks = [(ip_network("192.0.2.0/24"), secret)]
    for last in (1, 2, 3, 1):
        assert known.secret_of(f"192.0.2.{last}") is secret
        assert len(known._secrets) <= 2
    assert known.secret_of("198.51.100.1") is None


def test_most_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_SHAPES", 2)
    monkeypatch.setattr(findings, "_known", {})
    octets = [fc.Mip4Message.decode(REQUEST).replace(flags=flags).encode() for flags in range(4)]
    first = [event(packet(o)).faults for o in octets]
    assert [event(packet(o)).faults for o in octets] == first == [findings.sorted_out(o)[0] for o in octets]
    assert len(findings._known) <= 2


def test_longest_packet_that_was_cut() -> None:
    """However long a frame says it was, no more than an IP packet is made up for it."""
    octets = packet(REQUEST)
    assert event(octets[:60], missing=len(octets) - 60).note.startswith("cut: 60 of")
    found = event(octets[:60], missing=2**32 - 1 - 60)
    assert found.note == "cut: 60 of 4294967295 octets were captured"
    assert found.is_part


@pytest.mark.parametrize(("text", "says"), [
    (b'{"schema":"mipstorm.testbed/1","pid":\xff}', "is no testbed document"), (b'{"a":' * 5000, "is no testbed document")])
def test_testbed_documents_that_are_none(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "tb.json").write_bytes(text)
    (tmp_path / "tb.json").chmod(0o600)
    with pytest.raises(ConfigurationError, match=says):
        keys.read_keys(tmp_path / "tb.json")


def test_networks_of_a_testbed_that_are_none(tmp_path: Path) -> None:
    document = {"schema": "mipstorm.testbed/1", "pid": 1, "servers": {"aaah": {"radius": "127.0.0.1:1812", "pids": []},
                "fha": {"mip4": "127.0.0.1:434", "pids": []}}, "radius_clients": [{"network": "127.0.0.0/99", "secret": "x"}], "vendor": 1,
                "pools": [], "care_of_networks": [], "subscribers": {"csv": "nodes.csv", "count": 0}}
    (tmp_path / "tb.json").write_bytes(msgspec.json.encode(document))
    (tmp_path / "tb.json").chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"tb.json: .*127\.0\.0\.0/99"):
        keys.read_keys(tmp_path / "tb.json")
