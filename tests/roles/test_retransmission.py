"""Rulings 1 and 16: the same octets share one exchange and one reply; a new Identification waits, the newest only."""

import itertools

from desk import Desk
from world import AAAH, FHA, SECOND


def questions(desk: Desk) -> int:
    """Access-Requests that have left the FHA."""
    return sum(t.destination == (AAAH, 1812) and t.source[0] == FHA for t in desk.net.tap)


def replies(desk: Desk, since: int = 0) -> list[bytes]:
    return [t.data for t in desk.net.tap[since:] if t.source == (FHA, 434)]


def together(desk: Desk, *requests: bytes, node: int = 0, seconds: float = 0.01) -> list[bytes]:
    """All of them arrive at one time; what is answered."""
    mark = len(desk.net.tap)
    for request in requests:
        desk.net.inject((desk.care_of(node), 5001), (FHA, 434), request)
    desk.net.run(desk.net.now + int(seconds * SECOND))
    return replies(desk, mark)


def test_same_octets_while_the_first_is_at_the_aaah() -> None:
    desk = Desk()
    request = desk.rrq()
    assert len(together(desk, request, request, request)) == 1
    assert questions(desk) == 1
    assert desk.fha.counters() == {"duplicate_pending": 2}
    assert desk.fha.replies_sent == (1, 0)


def test_same_octets_afterwards_get_the_same_octets() -> None:
    desk = Desk()
    request = desk.rrq()
    (first,) = desk.send(request)
    for _ in range(3):
        assert desk.send(request, seconds=1.1) == [first]
    assert questions(desk) == 1
    assert desk.fha.counters() == {"duplicate_answered": 3}
    assert len(desk.fha.leases()) == 1


def test_repeated_request_does_not_prolong_the_lease() -> None:
    """RFC 5944 3.8.2.2."""
    desk = Desk()
    request = desk.rrq(lifetime=10)
    assert len(desk.send(request)) == 1
    assert len(desk.send(request, seconds=9)) == 1
    assert len(desk.fha.leases()) == 1
    desk.net.run(desk.net.now + 2 * SECOND)
    assert desk.fha.leases() == {}


def test_new_identification_waits_and_gets_the_same_address() -> None:
    desk = Desk()
    first, second = desk.rrq(identification=desk.ntp()), desk.rrq(identification=desk.ntp(0.001))
    answers = [desk.read(o) for o in together(desk, first, second)]
    assert [a.code for a in answers] == [0, 0]
    assert answers[0].message.home_address == answers[1].message.home_address
    assert [a.message.identification for a in answers] == [desk_id(first), desk_id(second)]
    assert answers[0].key != answers[1].key
    assert questions(desk) == 2
    assert len(desk.fha.leases()) == 1
    assert desk.fha.counters() == {}


def desk_id(request: bytes) -> int:
    return int.from_bytes(request[16:24], "big")


def test_only_the_newest_waits() -> None:
    desk = Desk()
    requests = [desk.rrq(identification=desk.ntp(k / 1000)) for k in range(5)]
    answers = [desk.read(o) for o in together(desk, *requests)]
    assert [a.message.identification for a in answers] == [desk_id(requests[0]), desk_id(requests[4])]
    assert questions(desk) == 2
    assert desk.fha.counters() == {"superseded": 3}
    assert desk.kept()[1] == 0


def test_copy_of_the_one_that_waits_shares_its_exchange_too() -> None:
    desk = Desk()
    first, second = desk.rrq(identification=desk.ntp()), desk.rrq(identification=desk.ntp(0.001))
    assert len(together(desk, first, second, second, first)) == 2
    assert questions(desk) == 2
    assert desk.fha.counters() == {"duplicate_pending": 2}


def test_the_one_that_waited_is_served_when_the_first_was_refused() -> None:
    desk = Desk()
    wrong, right = desk.rrq(key=bytes(16)), desk.rrq(identification=desk.ntp(0.001))
    assert [desk.read(o).code for o in together(desk, wrong, right)] == [144, 0]
    assert desk.kept()[1] == 0


def test_the_one_that_waited_is_served_when_the_first_got_no_answer() -> None:
    desk = Desk(secret=b"another secret than the AAAH's")
    first = together(desk, desk.rrq(), desk.rrq(identification=desk.ntp(0.001)), seconds=40)
    assert [desk.read(o).code for o in first] == [128]
    desk.fha.set_aaah(b"\x7f\x00\x00\x01", 1812, b"a shared secret of some length")
    assert [desk.read(o).code for o in together(desk, seconds=20)] == [0]
    assert desk.kept()[1] == 0


def test_two_nodes_do_not_wait_for_each_other() -> None:
    desk = Desk()
    assert len(together(desk, desk.rrq(0), desk.rrq(1, care_of=desk.care_of(0)))) == 2
    assert desk.fha.counters() == {}


def test_ten_requests_a_second_and_node() -> None:
    desk = Desk()
    desk.net.run(2 * SECOND)  # budgets count by the second
    answered = sum(len(desk.send(desk.rrq(key=bytes(16)))) for _ in range(30))
    assert answered == 10
    assert desk.fha.counters() == {"aaa_rejected": 10, "node_budget": 20}
    assert len(desk.send(desk.rrq(1), node=1)) == 1  # another node has its own
    desk.net.run(3 * SECOND)
    assert desk.ask().code == 0


def test_copies_have_ten_of_their_own() -> None:
    desk = Desk()
    desk.net.run(2 * SECOND)
    request = desk.rrq()
    assert sum(len(desk.send(request)) for _ in range(30)) == 1 + 10
    assert desk.fha.counters() == {"duplicate_answered": 10, "node_budget": 19}
    assert desk.ask().code == 0  # the 2nd of this second that reaches the logic


def test_a_thousand_senders_of_one_request() -> None:
    """A21: the same octets from everywhere cost one exchange, and few replies."""
    desk = Desk()
    desk.net.run(2 * SECOND)
    request = desk.rrq()
    mark = len(desk.net.tap)
    for k in range(1000):
        desk.net.inject((f"127.64.{k >> 8}.{k & 255}", 5001), (FHA, 434), request)
    desk.net.run(desk.net.now + SECOND // 2)
    assert len(replies(desk, mark)) <= 11
    assert questions(desk) == 1


def test_lost_question_is_asked_again_with_the_same_octets() -> None:
    desk = Desk(secret=b"a secret that the AAAH does not share")
    desk.send(desk.rrq(), seconds=40)
    asked = [t.data for t in desk.net.tap if t.destination == (AAAH, 1812)]
    times = [t.time_ns for t in desk.net.tap if t.destination == (AAAH, 1812)]
    assert len(asked) == 5
    assert len(set(asked)) == 1
    gaps = [(b - a) / SECOND for a, b in itertools.pairwise(times)]
    assert all(0.9 * ideal <= gap <= 1.1 * ideal + 0.002 for gap, ideal in zip(gaps, (1, 2, 4, 8), strict=True)), gaps
