"""What options, status, verdict and table make of renewals and releases."""
from argparse import ArgumentParser
from collections.abc import Callable

import pytest

from loadgen.cause import likely_cause
from loadgen.cli.options import add_common, check_life, plan
from loadgen.errors import UsageError
from loadgen.result import Packets, Result, Tally
from loadgen.status import Snapshot, describe
from loadgen.verdict import MaxFailures, Strain, judge

Make = Callable[..., Result]


def life(make: Make, *, renewal: Tally, release: Tally) -> Result:
    steps = {"access": Tally(attempted=1000, succeeded=1000), "registration": Tally(attempted=1000, succeeded=1000),
             "renewal": renewal, "release": release}
    return make(bootstraps=Tally(attempted=1000, succeeded=1000), steps=steps,
                packets=Packets(sent=sum(t.attempted for t in steps.values()), received=2000))


@pytest.mark.parametrize(("arguments", "fault"), [
    ([], None), (["--hold", "5"], None), (["--hold", "5", "--renew", "--release"], None), (["--release"], None),
    (["--renew"], "--renew is for nodes that stay"), (["--steps", "access", "--hold", "1"], "--steps access leaves nothing"),
    (["--steps", "registration", "--hold", "1"], None)])
def test_options_that_go_together(arguments: list[str], fault: str | None) -> None:
    parser = ArgumentParser()
    add_common(parser)
    args = parser.parse_args(arguments)
    if fault is None:
        check_life(args)
    else:
        with pytest.raises(UsageError, match=fault):
            check_life(args)


def test_the_lifetime_asked_for() -> None:
    parser = ArgumentParser()
    add_common(parser)
    for arguments, seconds in ((["-r", "1"], 1800), (["-r", "1", "--lifetime", "65534"], 65534)):
        assert plan(parser.parse_args(arguments), nodes=1, target=None, testbed=None, own_network=False).lifetime_s == seconds
    assert "--lifetime S" in parser.format_help()


def test_a_failed_renewal_or_release_misses_the_goal(make_result: Make) -> None:
    good, bad = Tally(attempted=10, succeeded=10), Tally(attempted=10, succeeded=7, failed=1, timed_out=2)
    assert judge(life(make_result, renewal=good, release=good), Strain(open_loop=True), MaxFailures()).verdict == "ok"
    for name, result in (("renewals", life(make_result, renewal=bad, release=good)),
                         ("releases", life(make_result, renewal=good, release=bad))):
        judgement = judge(result, Strain(open_loop=True), MaxFailures())
        assert (judgement.verdict, judgement.reasons) == ("goal-missed", [f"1 {name} failed and 2 timed out (0 allowed)"])
        assert judge(result, Strain(open_loop=True), MaxFailures(count=3)).verdict == "ok"


def test_the_cause_of_renewals_that_nobody_answers(make_result: Make) -> None:
    silent = Tally(attempted=10, timed_out=10)
    result = life(make_result, renewal=silent, release=Tally())
    assert "the FHA answered no renewal" in (likely_cause(result) or "")
    assert likely_cause(result, lambda step: "127.0.0.1:434" if step == "renewal" else None) == (
        "nothing listens at 127.0.0.1:434: is the server up, and is that its address?")


def test_the_status_tells_who_stays() -> None:
    snapshot = Snapshot(done=5, total=9, succeeded=5, failed=0, timed_out=0, in_flight=1, rate=5, p99_ms=None, elapsed_s=1)
    assert "holding" not in describe(snapshot)
    staying = Snapshot(done=5, total=9, succeeded=5, failed=0, timed_out=0, in_flight=1, rate=5, p99_ms=None, elapsed_s=1,
                       holding=4)
    assert " 1 in flight  4 holding  p99 " in describe(staying)
