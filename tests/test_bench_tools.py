"""The programs that figures are divided by must themselves be right, and the statistics over the rounds too."""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AccessAccept, AuthPacket, Packet
from rich.console import Console

from benchmarks import figures, ours, peers, rounds, timing
from benchmarks.rounds import Plan, Run, Unavailable
from benchmarks.sizes import Listener, sizes_of_one
from servers.config import load_aaah, load_fha, load_policy

pytestmark = pytest.mark.skipif(shutil.which(peers.COMPILER[0]) is None, reason="no C compiler")

DICTIONARY = """\
ATTRIBUTE User-Name 1 string
ATTRIBUTE CHAP-Password 3 octets
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Class 25 octets
ATTRIBUTE Session-Timeout 27 integer
ATTRIBUTE CHAP-Challenge 60 octets
ATTRIBUTE Message-Authenticator 80 octets
"""
FHA_IS_LOOPBACK = bytes([26, 12, 0, 0, 0x7e, 0xd9, 2, 6, 127, 0, 0, 1])     # of vendor 32473


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    return ctypes.CDLL(str(peers.build("digest_reference.so")))


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Dictionary:
    path = tmp_path_factory.mktemp("dictionary") / "dictionary"
    path.write_text(DICTIONARY)
    return Dictionary(str(path))


@pytest.fixture
def folder(tmp_path: Path) -> peers.Folder:
    return peers.Folder(tmp_path, 300)


@pytest.fixture(autouse=True)
def any_core(monkeypatch: pytest.MonkeyPatch) -> None:
    core = str(min(os.sched_getaffinity(0)))
    monkeypatch.setattr(peers, "SERVER_CORE", core)
    monkeypatch.setattr(peers, "CLIENT_CORE", core)


@pytest.fixture
def responder(folder: peers.Folder) -> Iterator[int]:
    program, port = peers.reference("radius_responder", "--secret-file", str(folder.secret))
    with program:
        yield port


def test_md5_against_hashlib(library: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(16)
    for length in range(300):
        message = secrets.token_bytes(length)
        library.reference_md5(message, ctypes.c_size_t(length), out)
        assert out.raw == hashlib.md5(message).digest(), length


@pytest.mark.parametrize("key_octets", [0, 1, 16, 63, 64, 65, 128])
def test_hmac_md5_rows_against_hmac(library: ctypes.CDLL, key_octets: int) -> None:
    secret, stride, count = secrets.token_bytes(key_octets), 512, 512
    rows, key = secrets.token_bytes(stride * count), ctypes.create_string_buffer(32)
    lengths, out = (ctypes.c_uint32 * count)(*range(count)), ctypes.create_string_buffer(16 * count)
    library.reference_hmac_md5_prepare(key, secret, ctypes.c_size_t(key_octets))
    library.reference_hmac_md5_rows(key, rows, ctypes.c_size_t(stride), lengths, ctypes.c_size_t(count), out)
    for i in range(count):
        expected = hmac.digest(secret, rows[i * stride: i * stride + i], "md5")
        assert out.raw[16 * i: 16 * i + 16] == expected, i


def exchange(port: int, datagrams: list[bytes]) -> list[bytes]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        for datagram in datagrams:
            sock.sendto(datagram, ("127.0.0.1", port))
        return [sock.recv(4096) for _ in range(len(datagrams))]


def test_responder_answers_as_pyrad_demands(responder: int, dictionary: Dictionary) -> None:
    requests = [AuthPacket(secret=peers.SECRET.encode(), dict=dictionary, id=i, User_Name="mn@home.example")
                for i in range(200)]
    for request in requests:
        request.add_message_authenticator()
    replies = exchange(responder, [request.RequestPacket() for request in requests])
    addresses = set()
    for raw in replies:
        request = requests[raw[1]]
        reply = Packet(packet=raw, secret=peers.SECRET.encode(), dict=dictionary)
        assert reply.code == AccessAccept
        assert request.VerifyReply(reply, raw)
        assert reply.verify_message_authenticator(original_authenticator=request.authenticator)
        assert reply["Session-Timeout"] == [3600]
        assert FHA_IS_LOOPBACK in raw
        addresses.add(reply["Framed-IP-Address"][0])
    assert len(addresses) == len(requests)


def test_responder_ignores_what_is_no_request(responder: int, dictionary: Dictionary) -> None:
    good = AuthPacket(secret=peers.SECRET.encode(), dict=dictionary, id=7, User_Name="mn@home.example").RequestPacket()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        for bad in (b"", good[:19], b"\x02" + good[1:], good[:2] + b"\xff\xff" + good[4:]):
            sock.sendto(bad, ("127.0.0.1", responder))
        sock.sendto(good, ("127.0.0.1", responder))
        assert sock.recv(4096)[:2] == b"\x02\x07"
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(4096)


def test_driver_counts_accepts_of_the_responder(responder: int, folder: peers.Folder) -> None:
    got = peers.drive_once(responder, folder, [os.getpid()], 0.2, window=600)
    assert got["accepted"] > 600
    assert got["verified"] > 0
    assert (got["rejected"], got["bad"], got["timed_out"]) == (0, 0, 0)
    assert 0 <= got["sent"] - got["accepted"] <= 600
    assert got["reply_octets"] > 20


def test_driver_counts_wrong_authenticators_as_bad(responder: int, tmp_path: Path) -> None:
    other = peers.Folder(tmp_path / "other", 10)
    other.write("secret", "quite another secret\n")
    command = [str(peers.build("radius_driver")), "--port", str(responder), "--secret-file", str(other.secret),
               "--subscribers", str(other.subscribers), "--seconds", "0.1", "--window", "4", "--verify", "1",
               "--cpu", peers.CLIENT_CORE]
    got = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert got["accepted"] == 0
    assert got["bad"] == 4


def first_request(folder: peers.Folder) -> bytes:
    """What the driver sends, caught by a silent server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        peers.drive_once(silent.getsockname()[1], folder, [], 0.05, window=1)
        return silent.recv(4096)


def test_driver_requests_are_right(folder: peers.Folder, dictionary: Dictionary) -> None:
    raw = first_request(folder)
    request = AuthPacket(packet=raw, secret=peers.SECRET.encode(), dict=dictionary)
    users = dict(folder.users())
    assert request.verify_message_authenticator()
    assert request.VerifyChapPasswd(users[request["User-Name"][0]])


def test_null_echo_keeps_the_size_asked(folder: peers.Folder) -> None:
    program, port = peers.reference("null_echo", "--reply", "92")
    with program:
        run = peers.drive(port, folder, program.pids, 0.1, echo=True)
        assert [len(reply) for reply in exchange(port, [bytes(40), bytes(200)])] == [92, 92]
    assert run.succeeded == run.attempted > 0


@pytest.mark.parametrize("gso", ["0", "1"])
@pytest.mark.parametrize("window", ["1", "600"])
def test_null_chain_loses_nothing(gso: str, window: str) -> None:
    got = peers.run_json([str(peers.build("null_chain")), "--seconds", "0.2", "--gso", gso, "--window", window,
                          "--client-cpu", peers.CLIENT_CORE, "--server-cpu", peers.SERVER_CORE])
    assert got["bootstraps"] > 10
    assert got["lost"] == 0
    assert ("registration_us" in got) == (window == "1")


def test_unknown_option_is_one_clear_usage() -> None:
    done = subprocess.run([str(peers.build("null_chain")), "--speed", "9"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_quartiles_and_ratios_are_taken_inside_a_round() -> None:
    assert rounds.quartiles([5.0]) == (5.0, 5.0, 5.0)
    assert rounds.quartiles([4.0, 1.0, 3.0, 2.0, 5.0]) == (2.0, 3.0, 4.0)
    ours, theirs = [Run(10, 2.0), Run(300, 2.0), Run(50, 4.0)], [Run(10, 1.0), Run(100, 1.0), Run(100, 8.0)]
    row = rounds.compare("x", ours, theirs, unit="/s", reference="other", ask=1.0)
    assert row.runs == [1.0, 3.0, 0.5]
    assert (row.ratio, row.quartiles, row.ok) == (1.0, (0.75, 2.0), True)     # not 50 / 100, that of the medians
    assert (row.cpu_us, row.reference_cpu_us, row.cpu_ratio) == (2.0, 1.0, 0.5)


def test_lower_may_be_better() -> None:
    row = rounds.compare("x", [Run(150)], [Run(100)], unit="us", reference="other", ask=1.6, sense="<=")
    assert row.ok
    assert not rounds.meets(1.7, "<=", 1.6)


def test_failures_and_starvation_are_noted_and_failures_are_not_ok() -> None:
    row = rounds.compare("x", [Run(9, 1, 90, 100, 0.5)], [Run(1, 1, 5, 5, 1.0)], unit="/s", reference="other", ask=1)
    assert not row.ok
    assert row.notes == ["ours: 10 of 100 failed", "ours busy 50 % of its core"]


def test_rounds_turn_their_order() -> None:
    order: list[str] = []

    def contender(name: str) -> Run:
        order.append(name)
        return Run(1)

    runs = rounds.interleave({name: lambda name=name: contender(name) for name in "abc"}, 3)
    assert "".join(order) == "abccbaabc"
    assert {name: len(each) for name, each in runs.items()} == {"a": 3, "b": 3, "c": 3}


def test_cpu_time_of_a_family() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 5 & wait"]) as shell:
        try:
            for _ in range(200):
                if len(rounds.family(shell.pid)) == 2:
                    break
                subprocess.run(["sleep", "0.01"], check=True)
            pids = rounds.family(shell.pid)
            assert pids[0] == shell.pid
            assert len(pids) == 2
            assert rounds.cpu_seconds(pids) < 1
        finally:
            for pid in rounds.family(shell.pid):
                os.kill(pid, 9)
    before = rounds.cpu_seconds([os.getpid()])
    while os.times().user + os.times().system < before + 0.1:
        hashlib.md5(bytes(100_000)).digest()
    assert rounds.cpu_seconds([os.getpid()]) >= before + 0.08


def fake(name: str, rows: object) -> ModuleType:
    module = ModuleType(name)
    module.figures = rows          # type: ignore[attr-defined]
    return module


def test_collector_takes_rows_and_names_what_is_missing() -> None:
    row = rounds.compare("a.one", [Run(2)], [Run(1)], unit="/s", reference="other", ask=1)

    def missing(plan: Plan) -> list[rounds.Row]:
        raise Unavailable("the other is not installed")

    absent = fake("absent", missing)
    absent.NAMES = ("b.two",)      # type: ignore[attr-defined]
    found = [fake("plain", lambda: [row.as_dict()]), fake("planned", lambda plan: [row]), absent]
    console = Console(quiet=True)
    rows, lines = figures.collect(found, Plan(), console)
    assert [each["name"] for each in rows] == ["a.one", "a.one"]
    assert lines == ["b.two: the other is not installed"]
    assert figures.collect(found, Plan(only="b.*"), console) == ([], lines)
    assert figures.collect(found, Plan(only="c.*"), console) == ([], [])


def test_command_writes_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    rows = [rounds.compare("a.one", [Run(2, 3.0, 7, 7)], [Run(1, 4.0)], unit="/s", reference="other", ask=ask)
            for ask in (1, 3)]
    monkeypatch.setattr(figures, "modules", lambda: iter([fake("bench_x", lambda: rows)]))
    output = tmp_path / "bench.json"
    assert figures.main(["--output", str(output)]) == 4
    written = json.loads(output.read_text())
    assert [row["ok"] for row in written] == [True, False]
    assert set(written[0]) >= {"name", "value", "unit", "reference", "reference_value", "ratio", "ask", "ok", "runs"}
    printed = capsys.readouterr().out
    assert printed.startswith(f"{len(os.sched_getaffinity(0))} core")
    assert all(word in printed for word in ("short", "ok", "7 of 7"))


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("gso", [False, True])
def test_our_servers_take_the_configuration(folder: peers.Folder, monkeypatch: pytest.MonkeyPatch,
                                            durable: bool, gso: bool) -> None:
    files: dict[str, Path] = {}

    def serve(role: str, folder: peers.Folder, port: int, text: str) -> None:
        files[role] = folder.write(f"{role}.toml", text)

    monkeypatch.setattr(ours, "serve", serve)
    ours.start_aaah(folder, 18120, ours.Mode(durable, gso))
    ours.start_fha(folder, 4340, 18120, ours.Mode(durable, gso))
    aaah, fha = load_aaah(files["aaah"]), load_fha(files["fha"])
    assert (aaah.gso, fha.volatile, fha.gso) == (gso, not durable, gso)
    assert load_policy(aaah.policy).fha[0].address == fha.home_agent


def test_listening_sees_bound_ports_only() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        assert ours.listening(port)
    assert not ours.listening(port)


def ip_packet(source: int, target: int, payload: bytes) -> bytes:
    udp = source.to_bytes(2) + target.to_bytes(2) + (8 + len(payload)).to_bytes(2) + bytes(2)
    return bytes([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17]) + bytes(10) + udp + payload


def test_sizes_are_noted_by_port_and_kind() -> None:
    listener = Listener(radius=1812, mip4=434)
    for source, target, payload in [(5000, 1812, b"\x01" + bytes(149)), (1812, 5000, b"\x02" + bytes(179)),
                                    (5000, 1812, b"\x0c" + bytes(37)), (6000, 434, b"\x01" + bytes(95)),
                                    (53, 5353, bytes(30)), (434, 6000, b"\x03" + bytes(184))]:
        listener.take(ip_packet(source, target, payload))
    assert listener.sizes == [150, 180, 96, 185]


@pytest.mark.skipif(os.geteuid() != 0, reason="listening on the loopback needs CAP_NET_RAW")
def test_sizes_of_one_bootstrap_on_the_loopback() -> None:
    aaah, fha, client, nas = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4))
    for each in (aaah, fha, client, nas):
        each.bind(("127.0.0.1", 0))

    def bootstrap(without_reply: bool = False) -> None:
        for source, target, payload in [(nas, aaah, b"\x01" + bytes(149)), (aaah, nas, b"\x02" + bytes(179)),
                                        (client, fha, b"\x01" + bytes(95)), (nas, aaah, b"\x0c" + bytes(37)),
                                        (nas, aaah, b"\x01" + bytes(299)), (aaah, nas, b"\x02" + bytes(309)),
                                        (fha, client, b"\x03" + bytes(184))][: 6 if without_reply else 7]:
            source.sendto(payload, target.getsockname())

    ports = aaah.getsockname()[1], fha.getsockname()[1]
    with aaah, fha, client, nas:
        assert sizes_of_one(*ports, bootstrap) == [150, 180, 96, 300, 310, 185]
        assert sizes_of_one(*ports, lambda: bootstrap(without_reply=True)) is None


def test_timing_sees_a_leak_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Few samples: what a comparison that stops early takes stands out all the same."""
    assert timing.main(["--samples", "2000", "--only", "Message*"]) == 0
    assert "control" in capsys.readouterr().out
    assert abs(timing.measure(timing.leaky(), 2000)) > 4.5


def test_timing_refuses_a_leaking_verification(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(timing, "singles", lambda: iter([timing.leaky()]))
    assert timing.main(["--samples", "2000", "--only", "control*"]) == 4
    assert "differs" in capsys.readouterr().out
