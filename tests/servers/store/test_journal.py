"""The writer thread: durability by ticket, refusal, groups, failure, a full disk."""
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from servers.store import image
from servers.store.journal import JournalWriter, checksum
from servers.store.records import Records

IDENTITY = "pool 198.18.0.0/16"
RECORD = 32                                            # octets of a record's header


def journal_file(path, chunk=1 << 20):
    created = image.create(path, image.JOURNAL, IDENTITY, 1, chunk)
    image.publish(path)
    return created


def started(path, ring=1 << 17, chunk=1 << 20):
    file, header = journal_file(path, chunk)
    writer = JournalWriter(ring, chunk)
    writer.use(file, header.nonce, 1, image.PAGE + chunk)
    return writer


def rows_of(path):
    with path.open("rb") as file:
        header = image.read_header(file, path, image.JOURNAL, IDENTITY)
        return list(Records(file, path, header.nonce, header.sequence))


def test_checksum_is_crc32c():
    """RFC 3720 B.4."""
    assert checksum(b"123456789") == 0xE3069283
    assert checksum(bytes(32)) == 0x8A9136AA
    assert checksum(b"\xff" * 32) == 0x62A8AB43
    assert checksum(bytes(range(32))) == 0x46DD794E
    assert checksum(b"") == 0


def test_what_a_ticket_says_is_durable_is_in_the_file(tmp_path):
    writer = started(tmp_path / "j")
    written = []
    for k in range(200):
        row = bytes([k]) * (k * 7 % 300)
        ticket = writer.append(row, 1 + k)
        written.append((1 + k, row))
        if k % 3 == 0:
            assert writer.wait(ticket)
            assert rows_of(tmp_path / "j") == written
    writer.close()
    assert rows_of(tmp_path / "j") == written


def test_tickets_grow_and_nothing_is_durable_before_its_commit(tmp_path):
    writer = started(tmp_path / "j")
    first, second = writer.append(b"a", 1), writer.append(b"b", 1)
    assert 0 < first < second
    assert writer.durable == 0                         # nobody kicked
    assert writer.wait(second)
    assert writer.durable == second


def test_done_wakes_whoever_waits(tmp_path):
    writer = started(tmp_path / "j")
    assert writer.clear() == 0
    ticket = writer.append(b"a", 1)
    writer.kick()
    end = time.monotonic() + 5
    while writer.clear() == 0 and time.monotonic() < end:
        time.sleep(0.001)
    assert writer.durable == ticket


def test_a_full_ring_refuses_and_recovers(tmp_path):
    writer = started(tmp_path / "j")
    row, tickets = b"x" * 1000, []
    while ticket := writer.append(row, 1):
        tickets.append(ticket)
    assert len(tickets) == (1 << 17) // (RECORD + 1000)
    assert writer.counters()["refused"] == 1
    assert writer.wait(tickets[-1])
    assert writer.append(row, 1)
    writer.close()
    assert len(rows_of(tmp_path / "j")) == len(tickets) + 1


def test_a_record_longer_than_allowed_is_refused(tmp_path):
    writer = started(tmp_path / "j", ring=1 << 18)
    assert writer.append(bytes(65_537), 1) == 0
    assert writer.wait(writer.append(bytes(65_536), 1))


def test_many_rounds_of_the_ring_keep_every_record(tmp_path):
    writer = started(tmp_path / "j")
    for k in range(300):
        assert writer.wait(writer.append_many(k.to_bytes(4, "big") * 25, 1, 40))
    writer.close()
    numbers = [int.from_bytes(row[:4], "big") for _, row in rows_of(tmp_path / "j")]
    assert numbers == [k for k in range(300) for _ in range(40)]


def test_the_file_grows_chunk_by_chunk(tmp_path):
    writer = started(tmp_path / "j", chunk=1 << 16)
    for _ in range(100):
        ticket = 0
        while not ticket:                              # refused while no room is set aside, not for long
            ticket = writer.append(b"x" * 2000, 1)
            writer.kick()
        assert writer.wait(ticket)
    assert len(rows_of(tmp_path / "j")) == 100


def test_volatile_is_durable_at_once_and_says_so():
    writer = JournalWriter()
    ticket = writer.append(b"row", 1)
    assert writer.is_volatile
    assert writer.durable == ticket > 0
    assert writer.wait(writer.append_many(b"row", 1, 100_000))
    writer.close()
    assert writer.append(b"row", 1) == 0


def test_a_group_grows_with_the_load(tmp_path):
    writer = started(tmp_path / "j", ring=1 << 22, chunk=1 << 24)
    for _ in range(20):
        assert writer.wait(writer.append(b"x" * 100, 1))
    alone = writer.counters()
    assert alone["commits"] == 20                      # nothing waits for company
    ticket = 0
    for _ in range(200):
        ticket = writer.append_many(b"x" * 100, 1, 64) or ticket
    assert writer.wait(ticket)
    loaded = writer.counters()
    records, groups = loaded["records"] - 20, loaded["commits"] - 20
    assert records / groups > 64                       # more than one batch a group: they gathered behind the sync


def test_a_failed_write_is_final_and_nothing_more_becomes_durable(tmp_path):
    """In a process of its own: a limit on the size of files makes the write fail (EFBIG) as a disk might."""
    program = textwrap.dedent(f"""
        import resource, signal, sys
        sys.path[:0] = {[os.getcwd()]!r}
        from servers.store import image
        from servers.store.journal import JournalWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        from pathlib import Path
        file, header = image.create(Path({str(tmp_path / 'j')!r}), image.JOURNAL, "x", 1, 0)
        writer = JournalWriter()
        writer.use(file, header.nonce, 1, 0)
        good = writer.append(b"a" * 1000, 1)
        assert writer.wait(good)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
        bad = writer.append(b"b" * 8000, 1)
        assert not writer.wait(bad)
        assert writer.durable == good
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert writer.append(b"c", 1) == 0             # the disk is well again, the journal stays failed
        writer.kick()
        print(writer.failed, writer.counters()["failed"], writer.durable == good)
        writer.close()
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["27", "EFBIG", "True"], done.stderr


def test_a_bad_file_descriptor_is_a_failure_not_a_crash(tmp_path):
    file, header = journal_file(tmp_path / "j")
    writer = JournalWriter()
    with (tmp_path / "j").open("rb") as read_only:
        writer.use(read_only, header.nonce, 1, 1 << 20)
        assert not writer.wait(writer.append(b"a", 1))
        assert writer.counters()["failed"] == "EBADF"
        with pytest.raises(OSError):
            writer.drain()
        writer.close()
    file.close()


def test_the_writer_thread_takes_no_signals(tmp_path):
    writer = started(tmp_path / "j")
    assert writer.wait(writer.append(b"a", 1))
    threads = [path for path in Path("/proc/self/task").iterdir() if path.name != str(os.getpid())]
    blocked = [int(line.split()[1], 16) for thread in threads for line in (thread / "status").read_text().splitlines()
               if line.startswith("SigBlk")]
    assert any(mask >> (signal.SIGTERM - 1) & 1 and mask >> (signal.SIGINT - 1) & 1 for mask in blocked)


@pytest.mark.parametrize("wrong", [{"ring": 100_000}, {"ring": 1 << 16}, {"chunk": 1}])
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError):
        JournalWriter(**wrong)


def test_a_process_that_stops_without_closing_leaves_no_thread_or_descriptor(tmp_path):
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for k in range(5):
        writer = started(tmp_path / str(k))
        assert writer.wait(writer.append(b"a", 1))
        del writer
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before[0]
