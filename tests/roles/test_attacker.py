"""Somebody on the path who records, withholds, repeats, cuts and joins Registration Requests: hypothesis looks for an
order of doing so that moves a lease (reliability I7, I8, I9)."""

from __future__ import annotations

from dataclasses import dataclass

from desk import Desk
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from world import SECOND

NODES = 3
MOMENT = 3                                # a journal record of the wall clock alone
CARE_OF, RECORD = slice(52, 56), 130     # of a journal record, servers/tables/bindings.pxd; the NAI follows it
node_numbers = st.integers(0, NODES - 1)
places = st.integers(0, 10_000)


@dataclass
class Captured:
    """A genuine request that has passed, or was kept back by, the attacker."""

    node: int
    octets: bytes
    identification: int
    lifetime: int
    reply: bytes = b""  # accepting


class Attacker(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(NODES)
        self.captured: list[Captured] = []
        self.latest: dict[int, Captured] = {}  # accepted last, by node
        self.held: dict[bytes, bytes] = {}  # what the nodes know to be theirs

    # ---- nodes -------------------------------------------------------------------------------------------------------

    @rule(node=node_numbers, lifetime=st.sampled_from([1800, 1800, 600, 0]), withheld=st.booleans())
    def node_asks(self, node: int, lifetime: int, withheld: bool) -> None:
        self.pass_time(1.01)  # what the attacker sends in a node's name uses up its ten a second (ruling 16)
        moment = self.desk.ntp()
        request = Captured(node, self.desk.rrq(node, identification=moment, lifetime=lifetime), moment, lifetime)
        self.captured.append(request)
        if not withheld:
            self.deliver(request, self.desk.care_of(node))
            assert request.reply, "a good and new request was not accepted"

    def deliver(self, request: Captured, source: str) -> None:
        """A genuine request that is newer than all accepted before of its node; from another source it is refused."""
        replies = self.desk.send(request.octets, source=(source, 5001))
        assert len(replies) <= 1
        if not replies or replies[0][1] != 0:
            return
        reply = self.desk.read(replies[0], request.node)
        assert reply.is_signed
        name = self.desk.columns.nai[request.node]
        if request.lifetime:
            assert self.held.setdefault(name, reply.message.home_address.packed) == reply.message.home_address.packed
        else:
            self.held.pop(name, None)
        request.reply, self.latest[request.node] = replies[0], request

    @rule(seconds=st.sampled_from([0.02, 0.5, 1.1, 5.0, 8.0]))
    def pass_time(self, seconds: float) -> None:
        self.desk.net.run(self.desk.net.now + int(seconds * SECOND))

    # ---- attacker ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.captured)
    @rule(place=places, times=st.integers(1, 12), elsewhere=st.booleans())
    def repeats(self, place: int, times: int, elsewhere: bool) -> None:
        request = self.captured[place % len(self.captured)]
        source = "127.64.9.9" if elsewhere else self.desk.care_of(request.node)
        last = self.latest.get(request.node)
        if last is None or request.identification > last.identification:
            self.deliver(request, source)  # withheld so far: new to the FHA
            return
        for _ in range(times):
            replies = self.desk.send(request.octets, source=(source, 5001))
            assert len(replies) <= 1
            if replies and replies[0][1] == 0:
                assert request is last, "an old request was accepted"
                assert replies == [request.reply] or request.lifetime == 0

    @precondition(lambda self: len(self.captured) >= 2)
    @rule(first=places, second=places, cut=places)
    def joins_two(self, first: int, second: int, cut: int) -> None:
        one, other = self.captured[first % len(self.captured)].octets, self.captured[second % len(self.captured)].octets
        self.forges(one[:cut % len(one)] + other[cut % len(one):])

    @precondition(lambda self: self.captured)
    @rule(place=places, at=places, change=st.integers(1, 255))
    def changes_an_octet(self, place: int, at: int, change: int) -> None:
        octets = bytearray(self.captured[place % len(self.captured)].octets)
        octets[at % len(octets)] ^= change
        self.forges(bytes(octets))

    @precondition(lambda self: self.captured)
    @rule(place=places, end=places)
    def cuts(self, place: int, end: int) -> None:
        octets = self.captured[place % len(self.captured)].octets
        self.forges(octets[:end % len(octets)])

    @precondition(lambda self: self.captured)
    @rule(place=places, tail=st.binary(min_size=1, max_size=30))
    def appends(self, place: int, tail: bytes) -> None:
        """Behind the proof nothing is covered: the request stays genuine, but no other than it was."""
        request = self.captured[place % len(self.captured)]
        last = self.latest.get(request.node)
        if last is not None and request.identification <= last.identification and request.lifetime:
            self.forges(request.octets + tail)

    def forges(self, octets: bytes) -> None:
        if any(octets == c.octets for c in self.captured):
            return
        replies = self.desk.send(octets, source=("127.64.0.1", 5001))
        assert all(r[1] != 0 for r in replies), "a forged request was accepted"
        assert all(len(r) <= len(octets) for r in replies if b"\x2b\x01\x00" not in r), "amplified"

    # ---- always ------------------------------------------------------------------------------------------------------

    @invariant()
    def leases_are_what_the_nodes_know(self) -> None:
        assert self.desk.fha.leases() == self.held
        assert len(set(self.held.values())) == len(self.held)
        assert self.desk.fha.under_way == 0

    @invariant()
    def bindings_are_where_the_nodes_are(self) -> None:
        for kind, payload in self.desk.fha.records(1, 1):
            if kind == MOMENT:
                continue
            node = next(k for k in range(NODES) if payload[RECORD:].startswith(self.desk.columns.nai[k]))
            assert payload[CARE_OF] == bytes(map(int, self.desk.care_of(node).split(".")))


Attacker.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestAttacker = Attacker.TestCase
