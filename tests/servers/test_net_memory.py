"""The network in memory: routes, virtual time, impairments that repeat."""

import time

import pytest

from servers.net.echo import Echo
from servers.net.impair import Profile
from servers.net.late_echo import LateEcho
from servers.net.memory import START_NS, WALL_NS, Network

HERE, THERE = ("10.0.0.1", 434), ("10.0.0.2", 434)
MS = 1_000_000


class Clocked(Echo):
    """Remembers when it was called; feeding from Python is what the network does too."""

    def __init__(self):
        self.calls = []

    def feed(self, port, rows, monotonic_ns, wall_ns):
        rows = list(rows)
        self.calls.append((monotonic_ns, wall_ns, port, rows))
        super().feed(port, rows, monotonic_ns, wall_ns)


def stormed(seed: int, profile: Profile, datagrams: int = 5000) -> Network:
    """Datagrams 1 us apart from nobody to an echo, whose answers go to nobody."""
    network = Network(seed=seed)
    network.attach(Echo(), 0, THERE[0], THERE[1])
    network.impair(profile, destination="10.0.0.2:434")
    for i in range(datagrams):
        network.inject(HERE, THERE, b"%08d" % i)
        network.run(network.now + 1000)
    network.run(network.now + 1000 * MS)
    return network


def test_an_echo_answers_a_delay_later_from_its_own_address():
    network = Network(profile=Profile(delay_ns=3 * MS))
    network.attach(Echo(), 0, *THERE)
    network.inject(HERE, THERE, b"x")
    network.run(START_NS + 3 * MS - 1)
    assert len(network.tap) == 1
    network.run(START_NS + 3 * MS)
    assert network.tap == [(START_NS, HERE, THERE, b"x"), (START_NS + 3 * MS, THERE, HERE, b"x")]
    assert network.unroutable == 1  # nobody has 10.0.0.1
    assert network.now == START_NS + 3 * MS


def test_the_longest_network_receives_and_answers_from_the_address_asked():
    wide, narrow, single = Clocked(), Clocked(), Clocked()
    network = Network()
    network.attach(wide, 0, "127.64.0.0/10", 434)
    network.attach(single, 0, "127.65.1.1", 434)
    network.attach(narrow, 0, "127.65.0.0/16", 434)
    for ip in ("127.70.0.9", "127.65.7.7", "127.65.1.1"):
        network.inject(HERE, (ip, 434), ip.encode())
    network.inject(HERE, ("127.128.0.1", 434), b"outside")
    network.inject(HERE, ("127.65.1.1", 435), b"no such port")
    network.run(network.now + MS)
    assert [node.calls[0][3] for node in (wide, narrow, single)] == [
        [(*HERE, ip, ip.encode())] for ip in ("127.70.0.9", "127.65.7.7", "127.65.1.1")
    ]
    assert {row.source for row in network.tap[5:]} == {(ip, 434) for ip in ("127.70.0.9", "127.65.7.7", "127.65.1.1")}
    assert network.unroutable == 2 + 3


def test_a_node_attached_later_takes_over_its_address():
    first, second = Clocked(), Clocked()
    network = Network()
    network.attach(first, 0, "10.0.0.0/24", 434)
    for _ in range(2):
        network.inject(("192.0.2.9", 434), THERE, b"x")
        network.run(network.now + MS)
        if not second.calls:
            network.attach(second, 0, *THERE)
    assert [len(first.calls), len(second.calls)] == [1, 1]


def test_without_pktinfo_a_node_neither_learns_nor_chooses_its_address():
    node = Clocked()
    network = Network()
    network.attach(node, 0, "127.64.0.0/10", 434, pktinfo=False)
    network.inject(HERE, ("127.70.0.9", 434), b"x")
    network.run(network.now + MS)
    assert node.calls[0][3] == [(*HERE, "", b"x")]
    assert network.tap[1].source == ("127.64.0.1", 434)


def test_what_arrives_at_one_instant_arrives_in_one_call_per_socket():
    node = Clocked()
    network = Network()
    network.attach(node, 0, *THERE)
    network.attach(node, 1, "10.0.0.3", 434)
    for i in range(3):
        network.inject(HERE, THERE, b"%d" % i)
        network.inject(HERE, ("10.0.0.3", 434), b"%d" % i)
    network.run(network.now + MS)
    assert [(port, [row[3] for row in rows]) for _, _, port, rows in node.calls] == [
        (0, [b"0", b"1", b"2"]),
        (1, [b"0", b"1", b"2"]),
    ]


def test_clocks_are_virtual_and_may_be_wrong():
    right, wrong = Clocked(), Clocked()
    network = Network(profile=Profile(delay_ns=MS))
    network.attach(right, 0, *THERE)
    network.attach(wrong, 0, "10.0.0.3", 434, wall_offset_ns=-3600 * 1000 * MS)
    network.run(START_NS + 7 * MS)
    network.inject(HERE, THERE, b"")
    network.inject(HERE, ("10.0.0.3", 434), b"")
    network.run(START_NS + 10 * MS)
    assert right.calls[0][:2] == (START_NS + 8 * MS, WALL_NS + 8 * MS)
    assert wrong.calls[0][:2] == (START_NS + 8 * MS, WALL_NS + 8 * MS - 3600 * 1000 * MS)


def test_timers_fire_at_their_nanosecond():
    network = Network(profile=Profile(delay_ns=5))
    network.attach(LateEcho(1234567), 0, *THERE)
    for _ in range(3):
        network.inject(HERE, THERE, b"x")
        network.run(network.now + 1000)
    network.run(START_NS + 2 * MS)
    assert [row.time_ns for row in network.tap[3:]] == [START_NS + n * 1000 + 5 + 1234567 for n in range(3)]


def test_a_timer_that_moves_earlier_fires_earlier():
    late = LateEcho(10 * MS)
    network = Network(profile=Profile(delay_ns=5))
    network.attach(late, 0, *THERE)
    for delay, data in [(10 * MS, b"third"), (3 * MS, b"first"), (5 * MS, b"second")]:
        late.delay_ns = delay
        network.inject(HERE, THERE, data)
        network.run(network.now + 1000)
    network.run(network.now + 100 * MS)
    answers = [(row.data, row.time_ns - START_NS) for row in network.tap[3:]]
    assert answers == [(b"first", 3 * MS + 1005), (b"second", 5 * MS + 2005), (b"third", 10 * MS + 5)]


def test_a_node_that_asks_for_the_past_for_ever_is_reported():
    class Stuck(Echo):
        def due(self):
            return START_NS

    network = Network()
    network.attach(Stuck(), 0, *THERE)
    with pytest.raises(RuntimeError, match="names a time that has passed"):
        network.run(network.now + MS)


def test_one_address_has_one_owner():
    network = Network()
    node = Echo()
    network.attach(node, 0, *THERE)
    with pytest.raises(ValueError, match=r"10\.0\.0\.2:434"):
        network.attach(Echo(), 0, *THERE)
    with pytest.raises(ValueError, match="socket 0"):
        network.attach(node, 0, "10.0.0.9", 434)


BAD = Profile(delay_ns=MS, jitter_ns=20_000, loss=0.1, duplicate=0.05, truncate=0.05, flip=0.05)


def test_the_same_seed_gives_the_same_traffic_and_another_seed_does_not():
    assert stormed(1, BAD).tap == stormed(1, BAD).tap
    assert stormed(1, BAD).tap != stormed(2, BAD).tap


def test_impairments_happen_as_often_as_asked():
    network = stormed(3, BAD, 20_000)
    counts = network.counts()[("10.0.0.1:434", "10.0.0.2:434")]
    copies = counts.sent + counts.duplicated
    assert counts.sent == 20_000
    # Five standard deviations of each binomial.
    assert counts.duplicated == pytest.approx(1000, abs=155)
    assert counts.lost == pytest.approx(0.1 * copies, abs=220)
    assert counts.truncated == pytest.approx(0.05 * 0.9 * copies, abs=155)
    assert counts.flipped == pytest.approx(0.05 * 0.9 * copies, abs=160)
    assert counts.reordered > 1000
    answers = [row for row in network.tap if row.source == THERE]
    assert len(answers) == copies - counts.lost
    assert sum(len(row.data) < 8 for row in answers) == counts.truncated


def test_a_flip_changes_one_bit():
    network = stormed(4, Profile(flip=1.0), 200)
    sent = [row.data for row in network.tap if row.source == HERE]
    back = [row.data for row in network.tap if row.source == THERE]
    distance = [
        (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count() for a, b in zip(sent, back, strict=True)
    ]
    assert distance == [1] * 200


def test_order_is_kept_without_jitter():
    back = [row.data for row in stormed(5, Profile(loss=0.2)).tap if row.source == THERE]
    assert back == sorted(back)
    assert 3500 < len(back) < 4500


def test_a_rule_applies_to_its_link_only_and_the_last_one_wins():
    network = Network()
    network.attach(Echo(), 0, *THERE)
    network.attach(Echo(), 0, "10.0.0.3", 434)
    network.impair(Profile(loss=1.0), destination="10.0.0.2:434")
    for to in (THERE, ("10.0.0.3", 434)):
        network.inject(HERE, to, b"x")
    network.run(network.now + MS)
    assert [row.source[0] for row in network.tap[2:]] == ["10.0.0.3"]
    network.impair(Profile())  # the link exists already
    network.inject(HERE, THERE, b"y")
    network.run(network.now + MS)
    assert network.tap[-1].source == THERE


@pytest.mark.parametrize("wrong", [{"loss": 1.1}, {"flip": -0.1}, {"delay_ns": 0}, {"jitter_ns": -1}])
def test_profiles_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Profile(**wrong)


def test_five_hundred_nodes_run_in_about_a_second():
    network = Network(seed=1, profile=Profile(jitter_ns=10_000, loss=0.001))
    network.attach(Echo(), 0, *THERE)
    peers = [(f"10.1.{i // 250}.{1 + i % 250}", 434) for i in range(500)]
    for ip, port in peers:
        network.attach(Echo(), 0, ip, port)
        network.inject((ip, port), THERE, bytes(150))  # echoed between the two for ever
    began = time.process_time()
    network.run(network.now + 3 * MS)
    assert len(network.tap) > 20_000
    assert time.process_time() - began < 5  # about 0.2 on a machine with nothing else to do
