"""A node's outbox, random octets and Python face."""

import pytest

from servers.net.echo import Echo
from servers.net.node import Node

PEER = "198.51.100.7"


def test_echo_returns_every_datagram_in_order_from_the_address_it_was_sent_to():
    echo = Echo()
    rows = [(PEER, 1000 + i, "127.64.0.9", b"%d" % i) for i in range(700)]  # more than one batch
    echo.feed(3, rows, 5, 6)
    assert echo.drain() == [(3, *row) for row in rows]
    assert echo.drain() == []
    assert echo.answered == 700


@pytest.mark.parametrize(("octets", "answered"), [(0, 1), (1, 1), (2048, 1), (2049, 0), (65507, 0)])
def test_echo_answers_what_fits_a_row(octets, answered):
    echo = Echo()
    echo.feed(0, [(PEER, 1, "", bytes(octets))], 1, 1)
    assert [len(row[4]) for row in echo.drain()] == [octets] * answered
    assert (echo.answered, echo.oversize) == (answered, 1 - answered)


def test_the_outbox_has_an_end_and_counts_what_it_refused():
    node = Echo()
    assert [node.leave(0, PEER, 1, "", b"%d" % i) for i in range(1026)] == [True] * 1024 + [False] * 2
    assert node.refused == 2
    assert [row[4] for row in node.drain()] == [b"%d" % i for i in range(1024)]
    with pytest.raises(ValueError, match="2049 octets"):
        node.leave(0, PEER, 1, "", bytes(2049))


def test_a_plain_node_ignores_what_it_gets_and_has_no_timer():
    node = Node()
    node.feed(0, [(PEER, 1, "", b"x")], 1, 1)
    node.run_timers(10**12, 1)
    assert (node.drain(), node.due(), node.refused) == ([], 0, 0)


@pytest.mark.parametrize("row", [("300.1.1.1", 1, "", b""), (PEER, 65536, "", b""), (PEER, 1, "::1", b"")])
def test_feed_refuses_addresses_that_are_none(row):
    with pytest.raises((ValueError, OverflowError)):
        Node().feed(0, [row], 1, 1)


def test_seeded_octets_are_splitmix64():
    node = Node()
    node.seed(1234567)
    # First outputs of the reference implementation of splitmix64 for this seed.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [int.from_bytes(node.random(8), "little") for _ in expected] == expected


def test_random_octets_are_handed_out_once_across_refills():
    node = Node()
    node.seed(7)
    pieces = [node.random(24) for _ in range(2000)]  # 48 000 octets: five refills, each with a rest too short to use
    assert len(set(pieces)) == 2000
    again = Node()
    again.seed(7)
    assert pieces == [again.random(24) for _ in range(2000)]


def test_without_a_seed_two_nodes_share_no_octet_stream():
    first, second = Node(), Node()
    drawn = [node.random(256) for node in (first, second) for _ in range(100)]
    assert len(set(drawn)) == 200
    with pytest.raises(ValueError, match="256"):
        first.random(257)
