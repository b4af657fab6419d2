"""The directory: restarts, compaction and a crash in each of its steps, the lock, owners, kill -9, a full disk."""
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from servers.store import image
from servers.store.errors import Damaged, Locked, StoreError, WrongFormat
from servers.store.store import NO_FSYNC, Compaction, Store

IDENTITY = "pool 198.18.0.0/16"
CHUNK = 1 << 16


def opened(directory, **more):
    return Store(directory, IDENTITY, chunk=CHUNK, ring=1 << 17, **more)


def put(store, *rows):
    tickets = [store.journal.append(row, 1) for row in rows]
    assert all(tickets)
    assert store.journal.wait(tickets[-1])


def content(directory, **more):
    with opened(directory, **more) as store:
        return [row for _, row in store.load()]


def test_what_was_appended_comes_back_over_many_restarts(tmp_path):
    expected = []
    for k in range(6):
        with opened(tmp_path / "s") as store:
            assert [row for _, row in store.load()] == expected
            put(store, b"%d a" % k, b"%d b" % k)
            expected += [b"%d a" % k, b"%d b" % k]


def test_types_come_back_with_their_payloads(tmp_path):
    with opened(tmp_path / "s") as store:
        assert store.load() == []
        assert store.journal.wait([store.journal.append(bytes([k]), k) for k in range(1, 256)][-1])
    with opened(tmp_path / "s") as store:
        assert store.load() == [(k, bytes([k])) for k in range(1, 256)]


def test_compaction_replaces_everything_before_it_and_nothing_after(tmp_path):
    with opened(tmp_path / "s") as store:
        store.load()
        put(store, b"old", b"older")
        store.compact([(1, b"live")])
        put(store, b"after")
        assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["image.2", "journal.2", "lock"]
    assert content(tmp_path / "s") == [b"live", b"after"]


def test_a_state_that_changes_while_it_is_compacted_is_whole_afterwards(tmp_path):
    with opened(tmp_path / "s") as store:
        store.load()
        put(store, b"k=1", b"l=1")
        compaction = store.begin()
        compaction.add([(1, b"k=1")])
        put(store, b"k=2", b"l=2")
        compaction.add([(1, b"l=2")])
        compaction.finish()
    state = dict(row.split(b"=") for row in content(tmp_path / "s"))
    assert state == {b"k": b"2", b"l": b"2"}


def test_files_are_for_their_owner_only_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with opened(tmp_path / "s") as store:
            store.load()
            store.compact([(1, b"x")])
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "s").iterdir()}
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700


def test_a_second_user_of_the_directory_is_refused_and_told_who_has_it(tmp_path):
    with opened(tmp_path / "s"), pytest.raises(Locked, match=f"in use by process {os.getpid()}"):
        opened(tmp_path / "s")
    opened(tmp_path / "s").close()


def test_the_state_of_another_pool_is_refused(tmp_path):
    with opened(tmp_path / "s") as store:
        store.load()
    with Store(tmp_path / "s", "pool 10.0.0.0/8") as store, pytest.raises(WrongFormat, match="belongs to"):
        store.load()


def test_volatile_keeps_nothing_and_says_so():
    with Store(None, IDENTITY) as store:
        assert store.load() == []
        ticket = store.journal.append(b"row", 1)
        assert store.journal.durable == ticket
        assert store.relaxed == [NO_FSYNC]
        with pytest.raises(StoreError):
            store.compact([])


def test_a_durable_store_relaxes_nothing_and_is_loaded_once(tmp_path):
    with opened(tmp_path / "s") as store:
        assert store.relaxed == []
        store.load()
        with pytest.raises(StoreError):
            store.load()


def snapshots_of_a_compaction(tmp_path, monkeypatch):
    """The directory as a crash would leave it: after every call that changes it."""
    directory, copies = tmp_path / "s", []
    with opened(directory) as store:
        store.load()
        put(store, b"a=1", b"b=1")
        store.compact([(1, b"a=1"), (1, b"b=1")])
        put(store, b"a=2")

        def crash(name):
            copies.append((name, tmp_path / f"{len(copies)}"))
            shutil.copytree(directory, copies[-1][1])

        def copying(owner, name):
            real = getattr(owner, name)

            def call(*arguments, **named):
                crash(f"before {name}")
                result = real(*arguments, **named)
                crash(f"after {name}")
                return result
            monkeypatch.setattr(owner, name, call)

        for owner, name in ((os, "fsync"), (os, "pwrite"), (os, "posix_fallocate"), (image, "sync_directory"),
                            (type(directory), "rename"), (type(directory), "unlink"), (Compaction, "add")):
            copying(owner, name)
        store.compact([(1, b"a=2"), (1, b"b=1")])
        monkeypatch.undo()
    return copies


def test_a_crash_at_any_step_of_a_compaction_loses_nothing(tmp_path, monkeypatch):
    copies = snapshots_of_a_compaction(tmp_path, monkeypatch)
    assert len({name for name, _ in copies}) == 14
    for name, copy in copies:
        for _ in range(2):                             # the second start finds what the first has tidied up
            assert dict(row.split(b"=") for row in content(copy)) == {b"a": b"2", b"b": b"1"}, name
        with opened(copy) as store:                    # and it goes on from there
            rows = store.load()
            put(store, b"b=3")
            store.compact([*rows, (1, b"b=3")])
        assert dict(row.split(b"=") for row in content(copy)) == {b"a": b"2", b"b": b"3"}, name


@pytest.mark.parametrize("gone", ["journal.2", "journal.3", "image.2"])
def test_a_missing_file_is_noticed(tmp_path, gone):
    with opened(tmp_path / "s") as store:
        store.load()
        put(store, b"a")
        store.compact([(1, b"a")])
    content(tmp_path / "s")
    content(tmp_path / "s")
    (tmp_path / "s" / gone).unlink()
    with opened(tmp_path / "s") as store, pytest.raises(WrongFormat, match="missing"):
        store.load()


def test_records_missing_at_the_end_of_a_file_that_has_successors_are_damage(tmp_path):
    with opened(tmp_path / "s") as store:
        store.load()
        put(store, b"a", b"b")
    with opened(tmp_path / "s") as store:
        store.load()
        put(store, b"c")
    first = tmp_path / "s" / "journal.1"
    os.truncate(first, 4096 + 40)
    with opened(tmp_path / "s") as store, pytest.raises(Damaged, match=r"journal\.2"):
        store.load()
    with opened(tmp_path / "s", accept_loss=True) as store:
        assert [row for _, row in store.load()] == [b"a", b"c"]
        assert store.lost == 2                         # a row and the mark of the good end


def test_damage_in_the_middle_refuses_to_start_unless_the_loss_is_accepted(tmp_path):
    with opened(tmp_path / "s") as store:
        store.load()
        for row in (b"a", b"b", b"c"):
            put(store, row)
    path = tmp_path / "s" / "journal.1"
    octets = bytearray(path.read_bytes())
    octets[4096 + 40 + 33] ^= 1
    path.write_bytes(octets)
    with opened(tmp_path / "s") as store, pytest.raises(Damaged, match=r"journal\.1.*offset 4136"):
        store.load()
    with opened(tmp_path / "s", accept_loss=True) as store:
        rows = store.load()
        assert [row for _, row in rows] == [b"a", b"c"]
        assert store.lost == 1
        store.compact(rows)
    assert content(tmp_path / "s") == [b"a", b"c"]     # once compacted, the damage is history


WRITER = """
    import os, sys
    sys.path[:0] = [{here!r}]
    from servers.store.store import Store
    store = Store({directory!r}, {identity!r}, ring=1 << 18, chunk=1 << 18)
    rows = store.load()
    number = int(rows[-1][1][:8]) + 1 if rows else 0
    store.compact(rows[-50:])
    out = os.fdopen(1, "w", buffering=1)
    while True:
        batch = []
        for _ in range(1 + number % 37):
            ticket = store.journal.append(b"%08d" % number + b"x" * (number % 200), 1)
            if ticket:
                batch.append(number)
                number += 1
        store.journal.kick()
        assert store.journal.wait(ticket or store.journal.durable)
        print(number - 1)
        if number % 5 == 0:
            store.compact([(1, b"%08d" % k) for k in range(max(0, number - 50), number)])
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path):
    directory = tmp_path / "s"
    program = textwrap.dedent(WRITER).format(here=os.getcwd(), directory=str(directory), identity=IDENTITY)
    acknowledged = -1
    for k in range(25):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        line = child.stdout.readline()                 # under load from here on
        time.sleep(0.003 * k)
        child.send_signal(signal.SIGKILL)
        said = [line, *child.stdout.readlines()]
        child.wait()
        child.stdout.close()
        whole = [int(text) for text in said if text.endswith("\n")]
        assert whole, "the writer never got going"
        acknowledged = max(acknowledged, *whole)
        numbers = [int(row[:8]) for row in content(directory)]
        assert numbers[-1] >= acknowledged
        assert set(numbers) >= set(range(max(0, acknowledged - 40), acknowledged + 1))


def on_small_disk(tmp_path, program):
    """Runs the program beside a tmpfs of 512 KiB in a mount namespace of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=512k small "{disk}" && exec "{sys.executable}" -c "$0"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, textwrap.dedent(program).format(
        here=os.getcwd(), directory=str(disk / "s"), identity=IDENTITY)], capture_output=True, text=True, timeout=60,
        check=False)
    if done.returncode and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip(f"no private mount: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_refuses_before_it_promises_and_recovers(tmp_path):
    said = on_small_disk(tmp_path, """
        import os, sys, time
        sys.path[:0] = [{here!r}]
        from servers.store.store import Store
        store = Store({directory!r}, {identity!r}, ring=1 << 17, chunk=1 << 16)
        store.load()
        kept, row = 0, b"x" * 1000
        def append():
            for _ in range(200):                       # a refusal may only mean that room is still being set aside
                ticket = store.journal.append(row, 1)
                store.journal.kick()
                if ticket or store.journal.counters()["no_space"]:
                    return ticket
                time.sleep(0.001)
        while (ticket := append()):
            assert store.journal.wait(ticket)
            kept += 1
        assert store.journal.counters()["no_space"] == "ENOSPC", store.journal.counters()
        assert store.journal.failed == 0
        assert kept > 300, kept
        try:
            store.begin()
        except OSError as error:
            assert error.errno == 28
        else:
            raise AssertionError("a compaction began on a full disk")
        store.close()
        store = Store({directory!r}, {identity!r}, ring=1 << 17, chunk=1 << 12)
        rows = store.load()
        assert len(rows) == kept
        store.compact(rows[-10:])
        for _ in range(20):
            assert store.journal.wait(append())
        store.close()
        store = Store({directory!r}, {identity!r}, ring=1 << 17, chunk=1 << 12)
        print(len(store.load()))
        """)
    assert said.split() == ["30"]


def test_a_disk_that_is_full_at_the_start_is_an_error_then(tmp_path):
    said = on_small_disk(tmp_path, """
        import sys
        sys.path[:0] = [{here!r}]
        from servers.store.store import Store
        store = Store({directory!r}, {identity!r}, chunk=1 << 20)
        try:
            store.load()
        except OSError as error:
            print(error.errno)
        store.close()
        """)
    assert said.split() == ["28"]


def test_a_million_rows_load_in_seconds(tmp_path):
    with Store(tmp_path / "s", IDENTITY) as store:
        store.load()
        store.compact((1, b"x" * 120) for _ in range(1_000_000))
    begun = time.perf_counter()
    with Store(tmp_path / "s", IDENTITY) as store:
        assert len(store.load()) == 1_000_000
    assert time.perf_counter() - begun < 10            # one second where it was measured


class StoreModel(RuleBasedStateMachine):
    """Against a dictionary, over restarts in good and bad order and compactions."""

    def __init__(self):
        super().__init__()
        self.directory = f"/tmp/store-model-{os.getpid()}-{time.monotonic_ns()}"
        self.state: dict[bytes, bytes] = {}
        self.store = opened(self.directory)
        self.store.load()

    @rule(rows=st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=300)), min_size=1, max_size=9))
    def append(self, rows):
        put(self.store, *(b"%d" % key + value for key, value in rows))
        self.state.update((b"%d" % key, value) for key, value in rows)

    @rule()
    def compact(self):
        self.store.compact((1, key + value) for key, value in self.state.items())

    @rule(clean=st.booleans())
    def restart(self, clean):
        if clean:
            self.store.close()
        else:
            copy = self.directory + "-copy"
            shutil.copytree(self.directory, copy)      # as the disk was at that moment
            self.store.close()
            shutil.rmtree(self.directory)
            os.rename(copy, self.directory)
        self.store = opened(self.directory)
        rows = [row for _, row in self.store.load()]
        assert {row[:1]: row[1:] for row in rows} == self.state

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.directory)


StoreModel.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestStoreModel = StoreModel.TestCase
