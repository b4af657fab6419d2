"""The verdict: each rule at its edge, the order of precedence, and the guess at the cause."""
from collections.abc import Callable
from itertools import combinations

import pytest

from loadgen.cause import likely_cause
from loadgen.result import Packets, Replies, Result, ServerUse, Stray, Tally, Violation
from loadgen.verdict import MaxFailures, Strain, generator_limits, judge, late_after_ns

Make = Callable[..., Result]
EASY = Strain(open_loop=True, sends=1000)
NONE = MaxFailures()
BROKEN = {"child-died": 1, "invariant-violated": 5, "interrupted": 130, "generator-limited": 3, "goal-missed": 4}


def test_all_well_is_ok(make_result: Make) -> None:
    judged = judge(make_result(), EASY, NONE)
    assert (judged.verdict, judged.exit_code, judged.reasons) == ("ok", 0, [])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_of_all_that_applies_the_first_in_order_is_the_verdict(make_result: Make, count: int) -> None:
    for broken in combinations(BROKEN, count):
        result = make_result(failed=int("goal-missed" in broken))
        if "invariant-violated" in broken:
            result.violations = [Violation(kind="double lease", detail="198.18.0.9")]
        strain = Strain(open_loop=True, sends=1000, own_drops=int("generator-limited" in broken))
        judged = judge(result, strain, NONE, interrupted="interrupted" in broken,
                       died="fha: disk full" if "child-died" in broken else None)
        assert (judged.verdict, judged.exit_code) == (broken[0], BROKEN[broken[0]])
        assert len(judged.reasons) == count


def test_what_is_late() -> None:
    assert late_after_ns(None) == late_after_ns(2.0) == late_after_ns(10.0) == 1_000_000
    assert late_after_ns(20.0) == 2_000_000


@pytest.mark.parametrize(("strain", "limited"), [
    (Strain(open_loop=True, sends=1000, late_sends=10), False),
    (Strain(open_loop=True, sends=1000, late_sends=11), True),
    (Strain(open_loop=True, sends=0), False),
    (Strain(open_loop=True, sends=1000, own_drops=1), True),
    (Strain(open_loop=True, sends=1000, own_cpu=1.0), False),
    (Strain(open_loop=False, sends=1000, late_sends=1000), False),
    (Strain(open_loop=False, own_drops=1), True),
    (Strain(open_loop=False, own_cpu=0.96, server_cpu=[0.5, 0.89]), True),
    (Strain(open_loop=False, own_cpu=0.95, server_cpu=[0.5, 0.89]), False),
    (Strain(open_loop=False, own_cpu=0.96, server_cpu=[0.5, 0.90]), False),
    (Strain(open_loop=False, own_cpu=0.96), True)])
def test_when_the_generator_is_the_limit(strain: Strain, limited: bool) -> None:
    assert bool(generator_limits(strain)) == limited


@pytest.mark.parametrize(("goal", "failed", "timed_out", "met"), [
    (MaxFailures(), 0, 0, True), (MaxFailures(), 1, 0, False), (MaxFailures(), 0, 1, False),
    (MaxFailures(count=5), 2, 3, True), (MaxFailures(count=5), 3, 3, False),
    (MaxFailures(share=0.01), 5, 5, True), (MaxFailures(share=0.01), 6, 5, False)])
def test_the_goal(make_result: Make, goal: MaxFailures, failed: int, timed_out: int, met: bool) -> None:
    judged = judge(make_result(failed, timed_out), EASY, goal)
    assert judged.exit_code == (0 if met else 4)
    if not met:
        assert judged.reasons == [f"{failed} bootstraps failed and {timed_out} timed out ({goal} allowed)"]


def test_bootstraps_that_a_silent_server_left_no_room_for_are_the_servers_fault(make_result: Make) -> None:
    crowd = make_result(bootstraps=Tally(attempted=1000, failed=700, timed_out=300), not_begun={"no_room": 700})
    judged = judge(crowd, EASY, MaxFailures())
    assert (judged.verdict, judged.exit_code) == ("goal-missed", 4)
    assert judged.reasons == ["700 bootstraps failed and 300 timed out (0 allowed)",
                              "700 of the failed could not even begin while others waited for an answer"]
    assert judge(crowd, EASY, MaxFailures(share=1.0)).reasons == []


def test_lateness_explains_no_silence(make_result: Make) -> None:
    late = Strain(open_loop=True, sends=100, late_sends=50)
    assert judge(make_result(timed_out=1000), late, MaxFailures()).verdict == "generator-limited"
    silent = make_result(timed_out=1000, packets=Packets(sent=100))
    assert judge(silent, late, MaxFailures()).verdict == "goal-missed"
    assert judge(silent, Strain(open_loop=True, sends=100, own_drops=1), MaxFailures()).verdict == "generator-limited"


def test_no_room_beside_servers_that_answer_everything_is_the_generators_fault(make_result: Make) -> None:
    crowd = make_result(bootstraps=Tally(attempted=1000, succeeded=300, failed=700), not_begun={"no_room": 700})
    assert judge(crowd, EASY, MaxFailures()).verdict == "generator-limited"
    assert "lower --rate" in (likely_cause(crowd) or "")


def test_the_cause_is_that_of_the_bootstraps_that_began(make_result: Make) -> None:
    crowd = make_result(bootstraps=Tally(attempted=1000, failed=900, timed_out=100), not_begun={"no_room": 900},
                        steps={"access": Tally(attempted=100, timed_out=100), "registration": Tally()})
    assert (likely_cause(crowd) or "").startswith("the RADIUS server answered no access")


def test_a_run_of_nothing_is_no_success(make_result: Make) -> None:
    judged = judge(make_result(bootstraps=Tally()), EASY, MaxFailures(share=1.0))
    assert (judged.verdict, judged.reasons) == ("goal-missed", ["no bootstrap was attempted"])


def server(**dropped: int) -> dict[str, ServerUse]:
    return {"aaah": ServerUse(processes=1, cpu_s=1, max_rss_bytes=1, packets_in=9, packets_out=0, dropped=dropped)}


@pytest.mark.parametrize(("changes", "guess"), [
    ({"packets": Packets(received=100, bad_authenticator=100)}, "secret mismatch? 100 replies with a bad auth"),
    ({"packets": Packets(received=100, bad_authenticator=100), "replies": Replies(unsigned=100)},
     "100 RADIUS answers have no Message-Authenticator, which is demanded: give --message-authenticator auto"),
    ({"servers": server(no_message_authenticator=100)}, "the AAAH dropped 100 RADIUS packets without Message-Authenticator"),
    ({"replies": Replies(strays={"access": Stray(count=100, source="10.0.0.1:9", asked="10.0.0.1:1812")})},
     "100 answers came from another port: from 10.0.0.1:9, though 10.0.0.1:1812 was asked"),
    ({"replies": Replies(strays={"registration": Stray(count=100, source="10.0.0.2:434", asked="10.0.0.1:434")})},
     "100 answers came from another address: from 10.0.0.2:434, though 10.0.0.1:434 was asked"),
    ({"replies": Replies(strays={"access": Stray(count=49, source="10.0.0.1:9", asked="10.0.0.1:1812")}, unsigned=49),
      "packets": Packets(sent=100)}, "nothing answered"),
    ({"servers": server(bad_message_authenticator=500)}, "secret mismatch? the AAAH dropped 500 packets"),
    ({"servers": server(unknown_client=500)}, "the AAAH does not know us as a client (500 packets"),
    ({"replies": Replies(mip4={"0": 900, "130": 100})}, "the FHA had no address left to lease"),
    ({"replies": Replies(radius={"2": 900, "3": 100})}, "the AAAH rejected the access"),
    ({"packets": Packets(received=100, kernel_drops=100)}, "our sockets dropped 100 replies"),
    ({"servers": server(kernel_drops=100)}, "the sockets of the AAAH dropped 100 packets"),
    ({"packets": Packets(sent=100)}, "nothing answered"),
    ({"steps": {"access": Tally(attempted=100, succeeded=100), "registration": Tally(attempted=100, timed_out=100)}},
     "the FHA answered no registration")])
def test_the_likely_cause(make_result: Make, changes: dict[str, object], guess: str) -> None:
    cause = likely_cause(make_result(failed=100, **changes))
    assert cause is not None
    assert cause.startswith(guess)


def test_no_guess_without_failures_or_without_a_trace(make_result: Make) -> None:
    assert likely_cause(make_result(packets=Packets(received=9, bad_authenticator=9))) is None
    assert likely_cause(make_result(failed=100, packets=Packets(received=900, bad_authenticator=3))) is None
