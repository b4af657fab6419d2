"""Real sockets on loopback: batches, runs, addresses, full buffers, the loop."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from servers.net.echo import Echo
from servers.net.late_echo import LateEcho
from servers.net.mmsg import Socket
from servers.net.pump import Pump
from servers.net.udp import CannotListen, Driver, open_socket

UDP_SEGMENT, UDP_GRO = 103, 104


def endpoint(opened: Socket) -> tuple[str, int]:
    ip, port = opened.address.split(":")
    return ip, int(port)


@contextlib.contextmanager
def client(ip: str = "127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        made.bind((ip, 0))
        made.settimeout(5)
        yield made


@contextlib.contextmanager
def echo_server(**options):
    opened = open_socket("127.0.0.1", 0, **options)
    pump = Pump(Echo(), [opened])
    try:
        yield opened, pump
    finally:
        opened.close()
        pump.close()


def waiting(made: socket.socket) -> list[bytes]:
    """What has arrived; loopback delivers within the sender's call."""
    made.setblocking(False)
    got = []
    with contextlib.suppress(BlockingIOError):
        while True:
            got.append(made.recv(65536))
    made.settimeout(5)
    return got


OFFLOAD = pytest.mark.parametrize("offload", [False, True], ids=["plain", "offload"])


@OFFLOAD
def test_every_datagram_comes_back_once_in_order(offload):
    with echo_server(gso=offload, gro=offload) as (server, pump), client() as c:
        sent = [b"%06d" % i + bytes(i % 300) for i in range(1000)]
        for data in sent:
            c.sendto(data, endpoint(server))
        for _ in range(4):  # each call takes at most 4 * 64 messages with offload on
            pump.on_readable(0)
        assert waiting(c) == sent
        traffic = server.traffic
        assert traffic["datagrams_in"] == traffic["datagrams_out"] == 1000
        assert traffic["octets_in"] == traffic["octets_out"] == sum(map(len, sent))
        assert traffic["errors"] == {}
        assert server.drops == 0


def test_a_pump_leaves_the_rest_to_the_next_wake_up():
    with echo_server() as (server, pump), client() as c:
        for _ in range(5 * 256):
            c.sendto(b"x", endpoint(server))
        pump.on_readable(0)
        assert server.traffic["datagrams_in"] == 4 * 256
        pump.on_readable(0)
        assert server.traffic["datagrams_in"] == 5 * 256


@OFFLOAD
@pytest.mark.parametrize(
    ("size", "total"), [(1, 64), (200, 4000), (200, 4007), (300, 300 * 64), (1000, 9000), (500, 100)]
)
def test_a_run_is_split_where_its_sender_cut_it(offload, size, total):
    data = os.urandom(total)
    pieces = [data[i : i + size] for i in range(0, total, size)]
    with echo_server(gro=offload) as (server, pump), client() as c:
        c.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        c.sendto(data, endpoint(server))
        pump.on_readable(0)
        assert waiting(c) == pieces
        assert server.traffic["datagrams_in"] == len(pieces)
        assert server.traffic["receives"] == 1


def test_runs_of_more_rows_than_a_batch_are_handed_over_in_batches():
    with echo_server(gro=True, gso=True) as (server, pump), client() as c:
        c.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
        sent = [os.urandom(60 * 100) for _ in range(10)]  # 600 rows: batches of 256, 256, 88, cut inside a message
        for data in sent:
            c.sendto(data, endpoint(server))
        pump.on_readable(0)
        assert b"".join(waiting(c)) == b"".join(sent)
        assert server.traffic["batches"] == 3
        assert server.traffic["datagrams_out"] == 600


def test_neighbours_of_one_length_leave_as_one_message_and_arrive_apart():
    lengths = [100] * 70 + [100, 100, 40] + [0, 0] + [200, 201] + [1400] * 50
    with echo_server(gso=True) as (server, pump), client() as c, client() as other:
        for n in lengths:
            c.sendto(bytes([n % 251]) * n, endpoint(server))
        other.sendto(bytes(1400), endpoint(server))  # the same length to another peer
        pump.on_readable(0)
        assert waiting(c) == [bytes([n % 251]) * n for n in lengths]
        assert waiting(other) == [bytes(1400)]
        # 64 + (6, 100, 100, 40); 0; 0; 200; 201; 46 of 1400 fill a message, 4; the other peer's
        assert server.traffic["messages_out"] == 2 + 2 + 2 + 2 + 1
        assert server.traffic["datagrams_out"] == len(lengths) + 1


def test_a_run_reaches_a_receiver_with_offload_as_one_buffer():
    with echo_server(gso=True) as (server, pump), client() as c:
        c.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        for _ in range(20):
            c.sendto(bytes(200), endpoint(server))
        pump.on_readable(0)
        assert [len(data) for data in waiting(c)] == [4000]


def test_the_source_is_the_address_that_was_asked_and_none_other():
    opened = open_socket("0.0.0.0", 0, pktinfo=True, gso=True)
    pump = Pump(Echo(), [opened])
    port = endpoint(opened)[1]
    with client() as c:
        asked = [f"127.{64 + i % 64}.{i // 3}.{200 - i // 5}" for i in range(200)]
        for ip in asked:
            c.sendto(ip.encode(), (ip, port))
        pump.on_readable(0)
        answers = [c.recvfrom(100) for _ in asked]
        assert answers == [(ip.encode(), (ip, port)) for ip in asked]
    opened.close()
    pump.close()


def test_every_round_of_receiving_knows_addresses_and_segments():
    """The kernel overwrites the message headers: the second round must find them as the first one did."""
    opened = open_socket("0.0.0.0", 0, pktinfo=True, gro=True)
    pump = Pump(Echo(), [opened])
    port = endpoint(opened)[1]
    with client() as c:
        for i, size in enumerate([0, 300, 0, 300]):
            c.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            ip = f"127.64.0.{1 + i}"
            c.sendto(bytes(900), (ip, port))
            pump.on_readable(0)
            answers = [c.recvfrom(1000) for _ in range(900 // (size or 900))]
            assert answers == [(bytes(size or 900), (ip, port))] * len(answers)
            assert waiting(c) == []
    opened.close()
    pump.close()


def test_each_socket_of_a_node_answers_its_own_callers():
    sockets = [open_socket("127.0.0.1", 0, index=i, gro=i == 1) for i in range(3)]
    pump = Pump(Echo(), sockets)
    with client() as c:
        for index in (2, 0, 1, 2):
            c.sendto(b"%d" % index, endpoint(sockets[index]))
            pump.on_readable(index)
            assert c.recvfrom(10) == (b"%d" % index, endpoint(sockets[index]))
    assert [s.traffic["datagrams_out"] for s in sockets] == [1, 1, 2]
    for s in sockets:
        s.close()
    pump.close()


def test_empty_datagrams_are_datagrams():
    for offload in (False, True):
        with echo_server(gro=offload, gso=offload) as (server, pump), client() as c:
            for data in (b"", b"a", b"", b""):
                c.sendto(data, endpoint(server))
            pump.on_readable(0)
            assert waiting(c) == [b"", b"a", b"", b""]


@pytest.mark.parametrize(("octets", "truncated"), [(4096, 0), (4097, 0), (4160, 0), (4161, 1), (65507, 1)])
def test_oversize_is_seen_as_oversize(octets, truncated):
    """Neither answered, nor taken for something shorter than 4097 octets."""
    with echo_server() as (server, pump), client() as c:
        c.sendto(bytes(octets), endpoint(server))
        pump.on_readable(0)
        assert pump.node.oversize == 1
        assert server.traffic["truncated"] == truncated
        assert server.traffic["octets_in"] == min(octets, 4160)


def test_an_oversize_datagram_does_not_spoil_its_neighbours():
    with echo_server() as (server, pump), client() as c:
        for data in (b"before", bytes(9000), b"after"):
            c.sendto(data, endpoint(server))
        pump.on_readable(0)
        assert waiting(c) == [b"before", b"after"]


def test_a_refused_datagram_is_counted_by_its_errno_and_the_others_leave():
    with echo_server() as (server, pump), client() as c:
        ip, port = c.getsockname()
        for peer_ip, peer_port, data in [
            (ip, port, b"first"),
            ("255.255.255.255", 9, b"broadcast"),  # EACCES without SO_BROADCAST
            (ip, 0, b"nowhere"),  # EINVAL
            (ip, port, b"last"),
        ]:
            assert pump.node.leave(0, peer_ip, peer_port, "", data)
        pump.drain()
        assert waiting(c) == [b"first", b"last"]
        assert server.traffic["errors"] == {"EACCES": 1, "EINVAL": 1}
        assert server.traffic["datagrams_out"] == 2


def test_every_row_of_a_run_that_cannot_leave_is_counted():
    with echo_server(gso=True, pktinfo=True) as (server, pump), client() as c:
        ip, port = c.getsockname()
        for local, peer_port in [("", 0)] * 3 + [("192.0.2.1", port)] * 4 + [("", port)] * 2:
            pump.node.leave(0, ip, peer_port, local, b"x")
        pump.drain()
        assert waiting(c) == [b"x", b"x"]
        errors = server.traffic["errors"]
        # Port 0: EINVAL, which might have meant the run and not its rows. A source that is not ours: depends on routes.
        assert sum(errors.values()) == 7
        assert errors["EINVAL"] in (3, 7)
        assert server.traffic["unsegmented"] in (1, 2)


def test_datagrams_left_in_mixed_order_leave_in_one_call_a_socket():
    sockets = [open_socket("127.0.0.1", 0, index=i) for i in range(3)]
    pump = Pump(Echo(), sockets)
    with client() as c:
        ports = [i * i % 7 % 3 for i in range(100)]
        for i, index in enumerate(ports):
            pump.node.leave(index, *c.getsockname(), "", bytes([i]))
        pump.drain()
        for index, opened in enumerate(sockets):
            expected = [i for i, at in enumerate(ports) if at == index]
            assert opened.traffic["datagrams_out"] == len(expected)
            assert opened.traffic["sends"] == 1
        came = [c.recvfrom(10) for _ in ports]
    by_source = [[data[0] for data, source in came if source == endpoint(opened)] for opened in sockets]
    assert by_source == [[i for i, at in enumerate(ports) if at == index] for index in range(3)]
    for s in sockets:
        s.close()
    pump.close()


def test_datagrams_for_a_socket_that_does_not_exist_are_counted():
    with echo_server() as (server, pump), client() as c:
        ip, port = c.getsockname()
        for index in (0, 1, 1, 7, 0):
            pump.node.leave(index, ip, port, "", b"%d" % index)
        pump.drain()
        assert waiting(c) == [b"0", b"0"]
        assert pump.misdirected == 3
        assert server.traffic["datagrams_out"] == 2


def proc_drops(opened: Socket) -> int:
    """The kernel's own table: column `drops`, found by inode."""
    inode = os.fstat(opened.fileno()).st_ino
    rows = (line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:])
    return next(int(row[-1]) for row in rows if int(row[9]) == inode)


@OFFLOAD
def test_kernel_drops_are_counted_exactly(offload):
    with echo_server(receive_buffer=4608, gro=offload) as (server, pump), client() as c:
        for _ in range(300):
            c.sendto(bytes(200), endpoint(server))
        dropped = server.drops
        assert dropped == proc_drops(server) > 200
        pump.on_readable(0)
        assert server.traffic["datagrams_in"] + dropped == 300
        server.close()
        assert server.drops == dropped


def test_a_drop_on_a_socket_with_offload_may_be_a_whole_run():
    with echo_server(receive_buffer=4608, gro=True) as (server, _), client() as c:
        c.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 200)
        for _ in range(10):
            c.sendto(bytes(64 * 200), endpoint(server))
        assert 8 <= server.drops == proc_drops(server) <= 10


def test_a_buffer_as_an_ordinary_user_gets_it_is_reported():
    opened = open_socket("127.0.0.1", 0, receive_buffer=208 << 10)
    assert opened.receive_buffer == 208 << 10
    opened.close()


def test_a_port_in_use_is_named():
    opened = open_socket("127.0.0.1", 0)
    ip, port = endpoint(opened)
    with pytest.raises(CannotListen, match=re.escape(f"cannot listen on {ip}:{port}: the port is in use")):
        open_socket(ip, port)
    opened.close()
    open_socket(ip, port).close()


def test_two_sockets_share_a_port_only_when_both_ask():
    first = open_socket("127.0.0.1", 0, reuse_port=True)
    ip, port = endpoint(first)
    open_socket(ip, port, reuse_port=True).close()
    with pytest.raises(CannotListen):
        open_socket(ip, port)
    first.close()


def test_a_foreign_address_is_named():
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1:5000: this machine does not have the address"):
        open_socket("192.0.2.1", 5000)


def test_sockets_stand_at_their_index():
    opened = open_socket("127.0.0.1", 0, index=1)
    with pytest.raises(ValueError, match="index 1 and stands at 0"):
        Pump(Echo(), [opened])
    opened.close()
    with pytest.raises(IndexError):
        Pump(Echo(), []).on_readable(0)


PRELUDE = """
import socket, sys, time
from servers.net.echo import Echo
from servers.net.late_echo import LateEcho
from servers.net.pump import Pump
from servers.net.udp import open_socket

c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.bind(("127.0.0.1", 0))
c.settimeout(1)
def arrived():
    try:
        while True:
            yield len(c.recv(4000))
    except TimeoutError:
        return
"""


def on_own_loopback(shape: str, script: str) -> list[int]:
    """Runs the script in a network namespace whose loopback was set up by `shape`; what it prints are numbers."""
    if not shutil.which("unshare") or not shutil.which("tc"):
        pytest.skip("needs unshare and tc")
    if subprocess.run(["unshare", "-rn", "sh", "-c", shape], capture_output=True, check=False).returncode:
        pytest.skip(f"not possible here: {shape}")
    return [
        int(word)
        for word in subprocess.run(
            ["unshare", "-rn", "sh", "-c", f'{shape} && exec "$0" -c "$1"', sys.executable, PRELUDE + script],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout.split()
    ]


@pytest.mark.parametrize(("bits_per_second", "lossless"), [(8_000_000, True), (200_000, False)])
def test_a_full_send_buffer_is_waited_for_and_what_is_given_up_is_counted(bits_per_second, lossless):
    """Loopback never fills a send buffer; one slowed down by a token bucket does."""
    script = """
server = open_socket("127.0.0.1", 0, send_buffer=4608)
pump = Pump(Echo(), [server])
for i in range(60):
    pump.node.leave(0, *c.getsockname(), "", bytes(200))
pump.drain()
t = server.traffic
print(t["datagrams_out"], t["unsent"], t["stalls"], len(list(arrived())))
"""
    shape = f"ip link set lo up && tc qdisc add dev lo root tbf rate {bits_per_second}bit burst 5kb latency 5s"
    left, unsent, stalls, arrived = on_own_loopback(shape, script)
    assert left + unsent == 60
    assert arrived == left
    assert stalls > 0
    assert (unsent == 0) == lossless


def test_a_run_of_datagrams_longer_than_the_path_allows_leaves_one_by_one():
    script = """
server = open_socket("127.0.0.1", 0, gso=True)
pump = Pump(Echo(), [server])
for length in (2000, 2000, 2000, 100, 100):
    pump.node.leave(0, *c.getsockname(), "", bytes(length))
pump.drain()
print(server.traffic["unsegmented"], server.traffic["messages_out"], *arrived())
"""
    figures = on_own_loopback("ip link set lo mtu 1280 up", script)
    assert figures == [1, 4 + 1, 2000, 2000, 2000, 100, 100]  # the first 100 ended the run of 2000


@pytest.mark.parametrize("make_loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_driver_answers_on_a_loop_and_closes(make_loop):
    loop = make_loop()

    async def talk():
        server = open_socket("127.0.0.1", 0)
        driver = Driver(Echo(), [server], asyncio.get_running_loop())
        with client() as c:
            for i in range(10):
                c.sendto(b"%d" % i, endpoint(server))
            async with asyncio.timeout(5):
                while server.traffic["datagrams_out"] < 10:
                    await asyncio.sleep(0.001)
            assert len(waiting(c)) == 10
            c.sendto(b"late", endpoint(server))
            driver.close()  # before the loop saw it
            assert waiting(c) == [b"late"]
        driver.close()
        assert server.traffic["datagrams_in"] == 11
        assert driver.drops == 0

    loop.run_until_complete(talk())
    loop.close()


def test_the_timer_fires_when_the_node_said_and_not_before():
    async def talk():
        server = open_socket("127.0.0.1", 0)
        driver = Driver(LateEcho(300_000_000), [server], asyncio.get_running_loop())
        with client() as c:
            c.setblocking(False)
            loop = asyncio.get_running_loop()
            began = loop.time()
            for i in range(3):
                c.sendto(b"%d" % i, endpoint(server))
            await asyncio.sleep(0.01)
            assert server.traffic["datagrams_in"] == 3
            assert waiting(c) == []
            async with asyncio.timeout(5):
                while server.traffic["datagrams_out"] < 3:
                    await asyncio.sleep(0.001)
            assert loop.time() - began >= 0.2999
            assert waiting(c) == [b"0", b"1", b"2"]
            wakes = driver.pump.wakes
            await asyncio.sleep(0.05)
            assert driver.pump.wakes == wakes  # nothing is due: the timer is still
        driver.close()

    uvloop.run(talk())


def test_the_timer_moves_when_something_earlier_comes_up():
    async def talk():
        server = open_socket("127.0.0.1", 0)
        late = LateEcho(3600 * 10**9)
        driver = Driver(late, [server], asyncio.get_running_loop())
        with client() as c:
            c.sendto(b"in an hour", endpoint(server))
            await asyncio.sleep(0.02)
            late.delay_ns = 1_000_000
            c.sendto(b"soon", endpoint(server))
            async with asyncio.timeout(5):
                while not late.answered:
                    await asyncio.sleep(0.001)
            assert waiting(c) == [b"soon"]
        driver.close()

    uvloop.run(talk())


def test_more_is_due_than_an_outbox_holds():
    late = LateEcho(1000, 3000)
    server = open_socket("127.0.0.1", 0)
    pump = Pump(late, [server])
    with client() as c:
        late.feed(0, [(*c.getsockname(), "", b"%d" % i) for i in range(3000)], 1, 1)
        pump.drain()
        assert waiting(c) == [b"%d" % i for i in range(3000)]
    assert late.refused == 0
    server.close()
    pump.close()


def test_a_waker_makes_the_node_go_on():
    async def talk():
        waker = os.eventfd(0, os.EFD_NONBLOCK)
        late = LateEcho(1000)
        server = open_socket("127.0.0.1", 0)
        driver = Driver(late, [server], asyncio.get_running_loop(), wakers=[waker])
        with client() as c:
            late.feed(0, [(*c.getsockname(), "", b"x")], 1, 1)  # behind the driver's back: no timer knows of it
            await asyncio.sleep(0.02)
            assert waiting(c) == []
            os.eventfd_write(waker, 1)
            async with asyncio.timeout(5):
                while not late.answered:
                    await asyncio.sleep(0.001)
            assert waiting(c) == [b"x"]
        with pytest.raises(BlockingIOError):
            os.eventfd_read(waker)  # taken
        driver.close()
        os.close(waker)

    uvloop.run(talk())
