"""The control socket and the metrics: what they answer, and that no client can cost more than its bound (A52)."""
import asyncio
import contextlib
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import uvloop

from servers import bounded, control, metrics
from servers.bounded import BoundedServer
from servers.control import Control, ask
from servers.endpoint import Endpoint
from servers.errors import ConfigurationError

TOLD: dict[str, Any] = {
    "schema": "mipstorm.stats/1", "role": "fha", "pid": 1, "address": "127.0.0.1:434", "uptime_s": 2.5, "cpu_s": 0.5,
    "rss_bytes": 1 << 20, "max_rss_bytes": 2 << 20, "packets_in": 10, "packets_out": 9, "kernel_drops": 1,
    "replies": {"accepted": 8, "refused": 1}, "gauges": {"pool_free": {"now": 3, "most": 4}},
    "upstreams": [{"address": "192.0.2.1:1812", "alive": False, "asked": 9, "answered": 7, "outstanding": 1, "moved_away": 0,
                   "timed_out": 1, "suspected": 2, "probes": 3}],
    "dropped": {"no_nai": 1}, "events": {"retransmitted": 2}}


def run(main: Coroutine[Any, Any, None]) -> None:
    """On the event loop that servers use."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


@asynccontextmanager
async def running(server: BoundedServer) -> AsyncIterator[None]:
    await server.start()
    try:
        yield
    finally:
        server.close()


def with_control(path: Path, act: Callable[[Control], Any]) -> None:
    async def main() -> None:
        server = Control(path, lambda: TOLD)
        async with running(server):
            await act(server)
    run(main())


async def heard(path: Path, question: bytes) -> bytes:
    """All that the server says until it closes or has been silent a while."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 22)
    said = b""
    try:
        writer.write(question)
        while piece := await asyncio.wait_for(reader.read(65536), 0.5):
            said += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return said


def test_only_the_owner_may_ask_and_the_file_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def act(server: Control) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await asyncio.to_thread(ask, path) == TOLD
        assert (await heard(path, b"stats\nstats\n")).count(b"\n") == 2
    with_control(path, act)
    assert not path.exists()


@pytest.mark.parametrize("question", [b"\n", b"stat\n", b"\xff\x00\xfe\n", b"GET / HTTP/1.0\r\n\r\n"])
def test_anything_else_is_told_so_and_closed(tmp_path: Path, question: bytes) -> None:
    async def act(server: Control) -> None:
        assert await heard(tmp_path / "c", question) == b'{"error":"the question is: stats"}\n'
        assert await asyncio.to_thread(ask, tmp_path / "c") == TOLD
    with_control(tmp_path / "c", act)


def test_a_line_without_end_is_cut_off(tmp_path: Path) -> None:
    async def act(server: Control) -> None:
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "c"))
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100 << 20:
                writer.write(b"x" * 65536)
                sent += 65536
                await writer.drain()
        assert sent < 10 << 20                                     # what a socket buffers
        assert server.refused == 1
        assert await asyncio.to_thread(ask, tmp_path / "c") == TOLD
    with_control(tmp_path / "c", act)


def test_a_thousand_connections_leave_a_few_open(tmp_path: Path) -> None:
    async def act(server: Control) -> None:
        clients = []
        for _ in range(1000):
            clients.append(await asyncio.open_unix_connection(str(tmp_path / "c")))
        await asyncio.sleep(0.1)
        assert len(server.open) == bounded.MOST_CONNECTIONS
        assert server.refused == 1000 - bounded.MOST_CONNECTIONS
        for _, writer in clients:
            writer.close()
        await asyncio.sleep(0.1)
        assert not server.open
        assert await asyncio.to_thread(ask, tmp_path / "c") == TOLD
    with_control(tmp_path / "c", act)


def test_a_client_that_never_reads_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_UNREAD", 10_000)

    async def act(server: Control) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(tmp_path / "c"))
            client.setblocking(False)
            for _ in range(200):
                try:
                    client.send(b"stats\n" * 100)
                except (BlockingIOError, ConnectionError):
                    break
                await asyncio.sleep(0.005)
            assert server.refused == 1
            assert not server.open
    with_control(tmp_path / "c", act)


def test_a_silent_client_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "IDLE_S", 0.05)

    async def act(server: Control) -> None:
        reader, _ = await asyncio.open_unix_connection(str(tmp_path / "c"))
        assert await asyncio.wait_for(reader.read(), 2.0) == b""
    with_control(tmp_path / "c", act)


def test_a_socket_left_behind_is_replaced_but_no_file_and_no_running_server(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    with_control(path, lambda server: asyncio.to_thread(ask, path))

    async def second(server: Control) -> None:
        with pytest.raises(ConfigurationError, match="another server listens there"):
            control.listen(path)
    with_control(path, second)
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already and is no socket"):
        control.listen(path)
    assert path.read_text() == "mine"


def test_a_path_too_long_for_the_kernel_works(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()

    async def act(server: Control) -> None:
        assert (folder / "c").is_socket()
        assert await asyncio.to_thread(ask, folder / "c") == TOLD
    with_control(folder / "c", act)


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be asked: No such file"):
        ask(tmp_path / "none")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "left"))
    with pytest.raises(ConfigurationError, match="no server listens there any more"):
        ask(tmp_path / "left")
    with pytest.raises(ConfigurationError, match=r"control.socket: .*No such file"):
        control.listen(tmp_path / "none" / "c")


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_another_user_may_not_ask(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    asker = ("import os, sys; sys.path[:0] = sys.argv[2].split(os.pathsep); import pathlib, servers.control as c\n"
             "os.setgid(65534); os.setuid(65534)\n"
             "try: c.ask(pathlib.Path(sys.argv[1]))\n"
             "except c.ConfigurationError as error: print(error)")

    async def act(server: Control) -> None:
        for folder in list(tmp_path.parents)[:-1]:
            if folder.stat().st_uid == 0 and folder != Path("/tmp"):
                folder.chmod(folder.stat().st_mode | 0o055)
        command = [sys.executable, "-c", asker, str(tmp_path / "c"), os.pathsep.join(sys.path)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert "cannot be asked: Permission denied" in done.stdout, done
    with_control(tmp_path / "c", act)


# ---- metrics ---------------------------------------------------------------------------------------------------------

def scrape(request: bytes) -> bytes:
    """What comes back over a connection of its own."""
    pytest.importorskip("prometheus_client")
    said = b""

    async def main() -> None:
        nonlocal said
        server = metrics.Metrics(metrics.listen(Endpoint(IPv4Address("127.0.0.1"), 0)), lambda: TOLD)
        async with running(server):
            host, _, port = server.address.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            said = await asyncio.wait_for(reader.read(), 5.0)
            writer.close()
    run(main())
    return said


def test_a_scrape() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    head, _, body = scrape(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert re.search(rb"Content-Length: %d\r\n" % len(body), head + b"\r\n")
    samples = {(s.name, *sorted(s.labels.values())): s.value
               for f in parser.text_string_to_metric_families(body.decode()) for s in f.samples}
    assert samples["mipstorm_packets_in_total", "fha"] == 10
    assert samples["mipstorm_cpu_seconds_total", "fha"] == 0.5
    assert samples["mipstorm_dropped_total", "fha", "no_nai"] == 1
    assert samples["mipstorm_replies_total", "accepted", "fha"] == 8
    assert samples["mipstorm_events_total", "fha", "retransmitted"] == 2
    assert (samples["mipstorm_pool_free", "fha"], samples["mipstorm_pool_free_limit", "fha"]) == (3, 4)
    assert samples["mipstorm_resident_memory_bytes", "fha"] == 1 << 20
    one = ("192.0.2.1:1812", "fha")
    assert (samples["mipstorm_upstream_alive", *one], samples["mipstorm_upstream_outstanding", *one]) == (0, 1)
    assert (samples["mipstorm_upstream_asked_total", *one], samples["mipstorm_upstream_timed_out_total", *one]) == (9, 1)


@pytest.mark.parametrize(("request_", "status"), [
    (b"GET /secrets HTTP/1.1\r\n\r\n", b"404"), (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"), (b"hello\r\n\r\n", b"400")])
def test_other_requests(request_: bytes, status: bytes) -> None:
    assert scrape(request_).split(b" ")[1] == status


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'mipstorm\[metrics\]'"):
        metrics.listen(Endpoint(IPv4Address("127.0.0.1"), 0))


def test_a_port_in_use_is_named() -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            metrics.listen(Endpoint(IPv4Address("127.0.0.1"), port))
