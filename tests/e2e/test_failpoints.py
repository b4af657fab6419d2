"""kill -9 at every failpoint between receive and reply, under load: what was acknowledged is there, and nothing else is."""
from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from loadgen import result as document
from servers import accounting, failpoint
from servers.app import build_fha
from servers.config import load_fha
from servers.errors import ConfigurationError
from servers.store.errors import StoreError
from servers.store.store import Store
from servers.tables import subscribers_csv
from tests.e2e import plants
from tests.e2e.by_hand import registered_by_hand
from tests.e2e.killing import Campaign, Kill, at_any_moment, run_beside, twice
from tests.e2e.loads import AccountingLoad, FleetLoad
from tests.e2e.places import Place, free_port
from tests.e2e.processes import Server, mipstorm, server
from tests.e2e.test_durability import ask, fleet, known

POOL = "198.18.0.0/20"                                 # two for every node: one it has, one that still rests from before
COPY = "fha-copy.toml"
ACCOUNTING = 2                                         # type of journal records
KILLS = int(os.environ.get("MIPSTORM_KILLS", "2"))     # at each failpoint; more: `make kill`
SEED = int(os.environ.get("MIPSTORM_KILL_SEED", "5"))  # of the moments
AT_ANY_MOMENT = 25 if KILLS > 2 else 0                 # test_durability does it always

# The least times that a point is passed before the server dies there; half a second of load at most.
FHA = {"fha_received": 120, "fha_new": 60, "fha_asking": 60, "fha_answered": 60, "fha_accepted": 60, "fha_reserved": 60,
       "fha_appended": 120, "fha_writing": 60, "fha_written": 60, "fha_synced": 60, "fha_committed": 60, "fha_sending": 80,
       "fha_sent": 80, "fha_releasing": 40, "fha_released": 40, "fha_sweeping": 12, "fha_swept": 12}
AAAH = {"aaah_received": 80, "aaah_recording": 40, "aaah_recorded": 40, "aaah_writing": 30, "aaah_written": 30,
        "aaah_synced": 30, "aaah_committed": 30, "aaah_remembering": 40, "aaah_sending": 80, "aaah_sent": 80}
# Compaction. The first of a life is before its first packet; these are the times of the next, half a second later.
COMPACTION = {"journal_creating": 3, "journal_created": 3, "image_writing": 2, "image_renaming": 2, "image_renamed": 2,
              "image_removing": 6, "image_removed": 2}


class RoamingFleets:
    """An FHA that is killed, an AAAH that lives on, nodes that renew and release, and nodes that just leave.

    Lifetimes of 3 s let all of it happen all the time. After some kills nodes act in step, all at once and then none for a
    while; those that just leave keep the load up.
    """

    def __init__(self, folder: Path, stack: ExitStack, plant: str = "") -> None:
        self.place = place = Place.with_nodes(folder, 1, POOL)
        stay, leave, one = fleet(place, "stay", 1000), fleet(place, "leave", 800), fleet(place, "one", 1)
        known(place, [stay, leave, one])
        self.hand = Place(folder, subscribers_csv.read(one), POOL)
        self.aaah = stack.enter_context(server(folder, "aaah", place.aaah()))
        options = {"more": "max_lifetime_s = 3", "pool_more": "cool_down_s = 1"}
        place.fha(self.aaah.address, state="fha-copy", **options).rename(folder / COPY)
        address = f"127.0.0.1:{free_port()}"
        config = place.fha(self.aaah.address, listen=address, **options)
        self.loads = [stack.enter_context(FleetLoad(place, csv, self.aaah.address, address, *more)) for csv, more in (
            (stay, ("-r", "120", "--hold", "3", "--renew", "--release")), (leave, ("-r", "100")))]
        self.campaign = Campaign(place, "fha", config, self.acked, self.check, self.visit, plant)
        self.old: list[tuple[tuple[str, int], bytes]] = []     # source and octets of requests that were accepted
        self.refused = 0                                       # of those, after a kill

    def acked(self) -> int:
        return sum(load.acked() for load in self.loads)

    def run(self, kills: Iterable[Kill], at_start: Iterable[Kill] = ()) -> None:
        async def work() -> None:
            await self.campaign.run(kills)
            for kill in at_start:
                await self.campaign.die_at_start(kill)
            if not self.campaign.faults:
                await self.leave()
        run_beside(work(), *(load.run() for load in self.loads))
        print(f"\n{self.campaign.summary()}, {self.refused} replays refused")

    async def visit(self, fha: Server) -> list[str]:
        """Requests from before the kill come again, and one node does as it should, for the next time."""
        faults = await asyncio.to_thread(lambda: [fault for request in self.old[-2:] for fault in self.replay(fha, *request)])
        with suppress(AssertionError):                         # the server was killed
            self.old += await asyncio.to_thread(self.register, fha)
        return faults

    def register(self, fha: Server) -> list[tuple[tuple[str, int], bytes]]:
        seen = registered_by_hand(self.hand, self.aaah.address, fha.address, 0.3)
        return [(m.source, m.data) for m in seen if m.data[0] == 1 and m.destination == fha.endpoint]

    def replay(self, fha: Server, source: tuple[str, int], data: bytes) -> Iterable[str]:
        with suppress(TimeoutError):                           # the server was killed
            reply = ask(source, fha.endpoint, data, 0.3)
            self.refused += reply[1] >= 128
            if reply[1] < 128:
                yield f"replayed: a request from before the restart got code {reply[1]}"

    def check(self, folder: Path) -> list[str]:
        """What an FHA that starts on this folder knows, against what nodes were told."""
        try:
            made = build_fha(load_fha(self.place.folder / COPY))
        except (ConfigurationError, StoreError, OSError) as error:
            return [f"unfit: {error}"]
        try:
            return [*self.differences(made.role.leases()), *lost_addresses(made.role.gauges(), len(made.role.leases()))]
        finally:
            made.close()

    def differences(self, leases: dict[bytes, bytes]) -> Iterable[str]:
        for load in self.loads:
            yield from load.faults(leases)
        for what, held in (("leased", leases), ("held", self.loads[0].held() | self.loads[1].held())):
            if len(set(held.values())) != len(held):
                yield f"shared: an address is {what} twice"

    async def leave(self) -> None:
        """After the last kill all nodes that stay give back what they have, and a good end finds nothing else."""
        fha = await self.campaign.start(None)
        try:
            for load in self.loads:
                load.stop()
            deadline = time.monotonic() + 20
            while not all(load.engine.fleet.done for load in self.loads):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            report = await asyncio.to_thread(fha.stop)
        finally:
            fha.__exit__(None, None, None)
        leases = {bytes.fromhex(nai): bytes.fromhex(address) for nai, address in report["leases"].items()}
        self.campaign.faults += self.differences(leases)


def lost_addresses(gauges: dict[str, tuple[int, int]], leases: int) -> Iterable[str]:
    """Every address is in one state, and what is leased is what somebody has (I4)."""
    states = {state: gauges[f"pool_{state}"][0] for state in ("free", "leased", "cooling", "reserved")}
    if sum(states.values()) != gauges["pool_free"][1] or states["leased"] != leases:
        yield f"conservation: {states} of {gauges['pool_free'][1]}, {leases} leases"


@pytest.mark.xdist_group("heavy")
@pytest.mark.timeout(450 * KILLS)
def test_an_fha_killed_at_every_failpoint_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with ExitStack() as stack:
        fleets = RoamingFleets(tmp_path, stack)
        fleets.run([*twice(FHA, SEED, KILLS), *at_any_moment(SEED, AT_ANY_MOMENT)])
        assert_all_is_well(fleets)


@pytest.mark.timeout(450 * KILLS)
def test_an_fha_killed_at_every_failpoint_of_a_compaction_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """While it runs, and while it starts."""
    with ExitStack() as stack:
        fleets = RoamingFleets(tmp_path, stack)
        fleets.run([Kill(f"fha_{place}", nth) for place, nth in COMPACTION.items() for _ in range(KILLS)],
                   [Kill(f"fha_{place}", 1) for place in COMPACTION])
        assert_all_is_well(fleets)


def assert_all_is_well(fleets: RoamingFleets) -> None:
    assert fleets.campaign.faults == []
    assert fleets.refused >= fleets.campaign.lives // 2
    codes = {code for load in fleets.loads for code in load.engine.fleet.codes()[0]}
    assert codes <= {0, 129, 133}, codes               # 129: a lease ended, and has rested, while nobody was there


class Home:
    """An AAAH that is killed, nodes that ask for access, and a NAS that accounts for them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        place = Place.with_nodes(folder, 1)
        csv = fleet(place, "access", 2000)
        known(place, [csv])
        access, accounts = free_port(), free_port()
        config = place.aaah(f"127.0.0.1:{access}", more=f'accounting_listen = "127.0.0.1:{accounts}"')
        self.fleet = stack.enter_context(FleetLoad(place, csv, f"127.0.0.1:{access}", None, "-r", "150"))
        self.nas = stack.enter_context(AccountingLoad(("127.0.0.1", accounts)))
        self.campaign = Campaign(place, "aaah", config, self.acked, self.check, self.visit)

    def acked(self) -> int:
        return self.fleet.acked() + self.nas.acked()

    async def visit(self, aaah: Server) -> list[str]:
        return []

    def check(self, folder: Path) -> list[str]:
        """The accounting records of a folder, in the journal and in text files, against what was acknowledged."""
        with Store(folder, "aaah") as store:
            recorded = {payload[accounting.HEAD.size:] for kind, payload in store.load() if kind == ACCOUNTING}
        for text in folder.glob("accounting.*[0-9]"):
            recorded |= {bytes.fromhex(line.split()[-1]) for line in text.read_text().splitlines()}
        lost, invented = self.nas.done - recorded, recorded - self.nas.sent
        return [f"lost: {len(lost)} accounting records"] * bool(lost) + [f"invented: {invented}"] * bool(invented)

    def run(self, kills: Iterable[Kill], at_start: Iterable[Kill]) -> None:
        async def work() -> None:
            await self.campaign.run(kills)
            for kill in at_start:
                await self.campaign.die_at_start(kill)
        run_beside(work(), self.fleet.run(), self.nas.run())
        print(f"\n{self.campaign.summary()}, {len(self.nas.done)} records acknowledged")


@pytest.mark.timeout(450 * KILLS)
def test_an_aaah_killed_at_every_failpoint_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with ExitStack() as stack:
        home = Home(tmp_path, stack)
        compactions = [Kill(f"aaah_{place}", nth) for place, nth in COMPACTION.items() for _ in range(KILLS)]
        home.run([*twice(AAAH, SEED, KILLS), *compactions, *at_any_moment(SEED, AT_ANY_MOMENT)],
                 [Kill(f"aaah_{place}", 1) for place in COMPACTION])
        assert home.campaign.faults == []
        assert set(home.fleet.engine.fleet.codes()[1]) == {2}


def test_the_tables_of_these_campaigns_are_complete() -> None:
    assert set(failpoint.points()) == {*FHA, *AAAH, *(f"{role}_{place}" for role in ("fha", "aaah") for place in COMPACTION)}


@pytest.mark.xdist_group("heavy")
@pytest.mark.timeout(300)
def test_a_step_that_stalls_or_fails_loses_nothing_either(tmp_path: Path) -> None:
    with ExitStack() as stack:
        fleets = RoamingFleets(tmp_path, stack)
        fleets.run([Kill("fha_written", 60, "sleep"), Kill("fha_writing", 60, "error"), Kill("fha_written", 60, "error"),
                    Kill("fha_image_renaming", 2, "error")])
        assert fleets.campaign.faults == []
    log = [line for line in (tmp_path / "fha.log").read_text().splitlines() if "journal" in line]
    failed = "mipstorm: fha: the journal cannot be written (Input/output error); nothing more is granted"
    assert log.count(failed) == 2
    assert "mipstorm: fha: the journal stays as it is: Input/output error" in log


@pytest.mark.xdist_group("heavy")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("plant", "kill", "found"), [
    ("acknowledges_without_journal", Kill("fha_sent", 80), "lost"),
    ("forgets_the_newest_leases", Kill("fha_sent", 80), "lost"),
    ("forgets_releases", Kill("fha_released", 150), "unasked"),
    ("removes_before_it_renames", Kill("fha_image_renaming", 2), "unfit"),
    ("forgets_what_was_said", Kill("fha_committed", 60), "replayed"),
    ("leases_what_is_leased", Kill("fha_sent", 80), "violation"),
])
def test_a_planted_bug_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: str, kill: Kill, found: str) -> None:
    """Within three lives. Two owners of an address are for the nodes themselves to see, in a server that looks well."""
    if found != "violation":
        plants.plant(plant, monkeypatch.setattr)
    with ExitStack() as stack:
        fleets = RoamingFleets(tmp_path, stack, plant)
        fleets.run([kill] * 3)
        kinds = [fault.removeprefix(f"{kill}: ").partition(":")[0] for fault in fleets.campaign.faults]
        assert found in kinds


def test_an_armed_failpoint_is_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says so in its log, and the report of a run under `relaxed`."""
    monkeypatch.setenv(failpoint.VARIABLE, "fha_image_renaming:7")
    done = mipstorm(tmp_path, "bench", "-n", "20", "-c", "4", "--json", "-", "-q")
    assert document.decode(done.stdout.encode()).relaxed == ["no reject delay", "failpoint fha_image_renaming:7"]
    place = Place.with_nodes(tmp_path, 1)
    with server(tmp_path, "aaah", place.aaah()) as aaah, server(tmp_path, "fha", place.fha(aaah.address)) as fha:
        said = "warning: failpoint fha_image_renaming:7 is armed (MIPSTORM_FAILPOINT): this is a test\n"
        assert (aaah.log.read_text(), fha.log.read_text()) == ("", f"mipstorm: fha: {said}")


def test_a_failpoint_that_kills_a_child_is_a_child_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoint.VARIABLE, "aaah_sent:5")
    done = mipstorm(tmp_path, "bench", "-n", "100", "-c", "4", "-q")
    assert done.returncode == 1
    assert "died with signal SIGKILL" in done.stdout + done.stderr
