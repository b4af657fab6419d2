"""The command line: what is taken, what is refused in one line with exit code 2, and what a result turns into."""
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest

from loadgen import testbed_document as document
from loadgen.cli import bench, load
from loadgen.cli.main import build_parser, main
from loadgen.plan import Expectation, Plan
from loadgen.result import Result
from loadgen.run import relaxed
from loadgen.verdict import MaxFailures
from servers.config_example import example
from servers.endpoint import parse_endpoint
from servers.tables import subscribers_csv

Make = Callable[..., Result]
SECRET = b"a secret of some length"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The options of `load` that name a secret and ten subscribers."""
    secret, csv = tmp_path / "secret", tmp_path / "nodes.csv"
    secret.write_bytes(SECRET)
    secret.chmod(0o600)
    subscribers_csv.write(subscribers_csv.generate(10), csv)
    return ["--secret-file", str(secret), "--subscribers", str(csv)]


def plan(*arguments: str) -> Plan:
    args = build_parser().parse_args(arguments)
    return {"bench": bench.plan_of, "load": load.plan_of}[args.command](args)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"mipstorm: [^\n]*\n", err)
    return err.removeprefix("mipstorm: ").rstrip("\n")


def test_bench_without_options() -> None:
    made = plan("bench")
    assert (made.nodes, made.rate, made.concurrency, made.duration_s, made.seed) == (20_000, 2000.0, None, None, 1)
    assert (made.scenario, made.steps, made.tries, made.warm_up_s) == ("integrated-colocated", "all", 5, 0.0)
    assert (made.radius_timeout_s, made.mip4_timeout_s, made.goal) == (2.0, 1.0, MaxFailures())
    assert made.target is None
    assert made.testbed is not None
    assert (str(made.testbed.pool), made.testbed.state, made.testbed.volatile) == ("198.18.0.0/16", None, False)
    assert made.warnings == ()


def test_bench_with_options(tmp_path: Path) -> None:
    made = plan("bench", "-n", "50", "-c", "7", "-d", "3.5", "-s", "9", "--warm-up", "1", "--timeout", "0.5",
                "--tries", "2",
                "--max-failures", "2.5%", "--pool", "10.0.0.0/24", "--cool-down", "0", "--max-lifetime", "60",
                "--state", str(tmp_path), "--volatile", "--receive-buffer", "212992", "--json", "-", "-q", "-v",
                "--steps", "access")
    assert (made.nodes, made.rate, made.concurrency, made.duration_s, made.seed) == (50, None, 7, 3.5, 9)
    assert (made.radius_timeout_s, made.mip4_timeout_s, made.tries, made.warm_up_s) == (0.5, 0.5, 2, 1.0)
    assert (made.goal, made.receive_buffer, made.json) == (MaxFailures(share=0.025), 212_992, "-")
    assert (made.quiet, made.verbose, made.steps) == (True, True, "access")
    assert made.testbed is not None
    assert (made.testbed.cool_down_s, made.testbed.max_lifetime_s, made.testbed.state) == (0, 60, tmp_path)


def test_a_pool_smaller_than_the_fleet_is_told_beforehand() -> None:
    assert plan("bench", "-n", "254", "--pool", "10.0.0.0/24").warnings == ()
    assert plan("bench", "-n", "300", "--pool", "10.0.0.0/24").warnings == (
        "the pool 10.0.0.0/24 has 254 addresses for 300 nodes: 46 bootstraps will fail",)
    assert plan("bench", "-n", "300", "--pool", "10.0.0.0/24", "--steps", "access").warnings == ()


def test_load(files: list[str]) -> None:
    made = plan("load", "--radius", "127.0.0.1:1812", "--mip4", "127.0.0.1:434", *files, "-r", "5")
    assert made.target is not None
    assert made.target.radius == parse_endpoint("127.0.0.1:1812")
    assert (made.target.mip4, made.target.secret.octets) == (parse_endpoint("127.0.0.1:434"), SECRET)
    assert (made.nodes, len(made.target.subscribers), made.rate, made.testbed) == (10, 10, 5.0, None)
    assert SECRET.decode() not in repr(made)


def test_load_off_loopback_needs_a_word(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    there = ["load", "--radius", "192.0.2.1:1812", "--steps", "access", "-c", "1", *files]
    assert "192.0.2.1:1812 is not on loopback; if that network is yours, add --i-own" in refused(capsys, *there)
    assert plan(*there, "--i-own-this-network").own_network


def test_load_with_several_aaahs(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["load", "--radius", "127.0.0.1:1812", "--radius", "127.0.0.1:1813", "--steps", "access", "-c", "1", *files]
    made = plan(*there)
    assert made.target is not None
    assert [(str(endpoint), secret.octets) for endpoint, secret in made.target.standby] == [("127.0.0.1:1813", SECRET)]
    other = tmp_path / "other"
    other.write_bytes(b"tiny")
    other.chmod(0o600)
    made = plan(*there, "--secret-file", str(other))
    assert made.target is not None
    assert (made.target.secret.octets, made.target.standby[0][1].octets) == (SECRET, b"tiny")
    assert made.warnings == (f"{other}: a shared secret of 4 octets is easily guessed; take 16 random ones",)
    assert "2 --secret-file for 3 --radius: give one for all" in refused(
        capsys, *there, "--secret-file", str(other), "--radius", "127.0.0.1:1814")
    assert "--radius 127.0.0.1:1813: given twice" in refused(capsys, *there, "--radius", "127.0.0.1:1813")
    assert "127.0.0.1:1820: more than 8 servers" in refused(
        capsys, *there, *(word for port in range(1814, 1821) for word in ("--radius", f"127.0.0.1:{port}")))


def test_load_that_takes_unsigned_answers_is_warned_of_and_named(files: list[str]) -> None:
    there = ["load", "--radius", "127.0.0.1:1812", "--steps", "access", "-c", "1", *files]
    assert plan(*there).warnings == ()
    assert relaxed(plan(*there)) == []
    made = plan(*there, "--message-authenticator", "auto")
    assert made.warnings == ("--message-authenticator auto: answers without one can be forged (CVE-2024-3596)",)
    assert relaxed(made) == ["answers without Message-Authenticator taken"]


LOAD = ["load", "--radius", "127.0.0.1:1812"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["bench", "--scenario", "nowhere"], "there is no scenario 'nowhere'; there is: integrated-colocated"),
    (["bench", "--no-such-option"], "unrecognized arguments: --no-such-option"),
    (["bench", "--node", "5"], "unrecognized arguments: --node 5"),
    (["flood"], "argument COMMAND: invalid choice: 'flood'"),
    ([], "the following arguments are required: COMMAND"),
    (["bench", "-n", "0"], "argument -n/--nodes: '0' is not a whole number from 1 to"),
    (["bench", "-n", "1e3"], "'1e3' is not a whole number"),
    (["bench", "-r", "nan"], "argument -r/--rate: 'nan' is not a number above 0"),
    (["bench", "-r", "-5"], "'-5' is not a number above 0"),
    (["bench", "-r", "1e-300"], "argument -r/--rate: '1e-300' is not a number from 0.001 to 1e+09"),
    (["bench", "-c", "8193"], "argument -c/--concurrency: '8193' is not a whole number from 1 to 8192"),
    (["bench", "-d", "1e12"], "argument -d/--duration: '1e12' is not a number from 0.001 to 1e+09"),
    (["bench", "--warm-up", "1e30"], "argument --warm-up: '1e30' is not a number from 0.001 to 1e+09"),
    (["bench", "--timeout", "1e10"], "argument --timeout: '1e10' is not a number from 0.001 to 3600"),
    (["bench", "--timeout", "1e-9"], "argument --timeout: '1e-9' is not a number from 0.001 to 3600"),
    (["bench", "--tries", "17"], "argument --tries: '17' is not a whole number from 1 to 16"),
    (["bench", "-r", "5", "-c", "5"], "--rate is an open loop, --concurrency a closed one: give one of them"),
    (["bench", "-d", "5", "--warm-up", "5"], "a warm-up of 5 s leaves nothing of a duration of 5 s"),
    (["bench", "--max-failures", "101%"], "argument --max-failures: '101%' is more than all"),
    (["bench", "--pool", "10.0.0.1/8"], "'10.0.0.1/8' is not an IPv4 network such as 198.18.0.0/16"),
    (["bench", "--pool", "127.1.0.0/16"], "--pool 127.1.0.0/16 contains the FHA's own address"),
    (["bench", "--pool", "0.0.0.0/0"], "contains the FHA's own address"),
    (["bench", "--pool", "224.0.0.0/8"], "is not a network of unicast addresses"),
    (["bench", "--json", "/no/such/folder/r.json"], "--json /no/such/folder/r.json: cannot be written: No such file"),
    ([*LOAD, "--secret-file", "x", "--subscribers", "x"], "how much load? give --rate"),
    ([*LOAD, "--secret-file", "x", "--subscribers", "x", "-c", "1"],
     "--steps all needs --mip4 (or all of it from --testbed FILE)"),
    ([*LOAD, "--mip4", "localhost:434"], "argument --mip4: 'localhost' in 'localhost:434' is not an IPv4 address"),
    ([*LOAD, "--secret-file", "/none", "--subscribers", "x", "-c", "1", "--steps", "access"],
     "/none: cannot be read: No such file or directory"),
    (["load", "--radius", "127.0.0.1:0", "--secret-file", "x", "--subscribers", "x", "-c", "1", "--steps", "access"],
     "127.0.0.1:0: port 0 is no target"),
    (["load", "--radius", "0.0.0.0:9", "--secret-file", "x", "--subscribers", "x", "-c", "1", "--steps", "access"],
     "0.0.0.0:9: 0.0.0.0 is no address of a server"),
    (["load"], "how much load? give --rate"),
    (["load", "-c", "1"], "--steps all needs --radius, --secret-file, --mip4, --subscribers (or all of it from --testbed"),
    (["load", "-c", "1", "--steps", "registration"], "--steps registration needs --mip4, --subscribers (or"),
    ([*LOAD, "-c", "1", "--testbed", "x"], "--testbed says where the servers are; leave out --radius"),
    (["load", "-c", "1", "--testbed", "/none"], "/none: cannot be read: No such file or directory"),
    (["load", "-c", "1", "--max-packets", "0"], "argument --max-packets: '0' is not a whole number from 1 to"),
    (["up", "--pool", "127.1.0.0/16"], "--pool 127.1.0.0/16 contains the FHA's own address"),
    (["up", "--radius-port", "65536"], "argument --radius-port: '65536' is not a whole number from 0 to 65535"),
    (["stats"], "the following arguments are required: PATH"),
    (["stats", "/none"], "/none: cannot be asked: No such file or directory"),
    (["serve", "ha", "--example-config"], "argument role: invalid choice: 'ha'"),
    (["serve", "fha"], "one of the arguments --config --example-config --example-unit is required"),
    (["serve", "fha", "--config", ""], "--config needs the name of a file"),
    (["serve", "fha", "--config", "/none.toml"], "/none.toml: cannot be read: No such file or directory")])
def test_what_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert message in refused(capsys, *arguments)


def test_more_packets_than_allowed_are_refused(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A55. What a closed loop makes in a given time is not known: it ends there."""
    both = ["load", "--radius", "127.0.0.1:1812", "--mip4", "127.0.0.1:434", *files]
    message = "1000 bootstraps are 2000 packets and more; --max-packets allows 1999"
    assert message in refused(capsys, *both, "-r", "100", "-d", "10", "--max-packets", "1999")
    assert "10 bootstraps are 20 packets" in refused(capsys, *both, "-c", "1", "--max-packets", "19")
    assert plan(*both, "-r", "100", "-d", "10", "--max-packets", "2000").max_packets == 2000
    assert plan(*both, "-c", "1", "-d", "10", "--max-packets", "19").max_packets == 19
    assert plan(*LOAD, *files, "-c", "1", "--steps", "access", "--max-packets", "10").max_packets == 10


def test_care_of_addresses_are_this_machine_s(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    there = ["load", "--mip4", "127.0.0.1:434", "--steps", "registration", "-c", "1", *files[2:]]
    assert str(plan(*there).care_of) == "127.64.0.0/10"
    assert "--care-of 127.64.0.0/30 has no room for 10 nodes" in refused(capsys, *there, "--care-of", "127.64.0.0/30")
    assert "cannot answer to 10.0.0.0/8" in refused(capsys, *there, "--care-of", "10.0.0.0/8")
    elsewhere = ["load", "--mip4", "192.0.2.1:434", "--i-own-this-network", *there[3:]]
    assert "192.0.2.1:434 cannot answer to 127.64.0.0/10" in refused(capsys, *elsewhere)
    assert str(plan(*elsewhere, "--care-of", "192.0.2.128/25").care_of) == "192.0.2.128/25"


def written_testbed(folder: Path, **changes: object) -> Path:
    csv = folder / "nodes.csv"
    subscribers_csv.write(subscribers_csv.generate(10), csv)
    made = document.Testbed(
        pid=1, vendor=32473, pools=[document.Network("198.18.0.0/16")], care_of_networks=["127.64.0.0/10"],
        radius_clients=[document.Client("127.0.0.0/9", SECRET.decode())], subscribers=document.Subscribers(str(csv), 10),
        servers=document.Servers(document.Aaah("127.0.0.1:1812", [2], None, "2001:db8::1"),
                                 document.Fha("127.0.0.1:434", [3], None, "2001:db8:f::/64")), relaxed=["no fsync"])
    for name, value in changes.items():
        setattr(made, name, value)
    document.write(made, folder / "tb.json")
    return folder / "tb.json"


def test_a_testbed_document_says_it_all(tmp_path: Path) -> None:
    file = written_testbed(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().count(b"\n") == 1
    made = plan("load", "--testbed", str(file), "-r", "5")
    assert made.target is not None
    assert (str(made.target.radius), str(made.target.mip4), made.nodes) == ("127.0.0.1:1812", "127.0.0.1:434", 10)
    assert made.target.secret is not None
    assert (made.target.secret.octets, made.target.relaxed) == (SECRET, ("no fsync",))
    assert str(made.target.expected) == str(Expectation(
        IPv4Network("198.18.0.0/16"), IPv6Network("2001:db8:f::/64"), IPv6Address("2001:db8::1")))
    assert made.target.message_authenticator == "yes"
    assert relaxed(made) == ["no fsync"]
    assert SECRET.decode() not in repr(document.read(file))


def test_a_testbed_document_that_cannot_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written_testbed(tmp_path, pools=[document.Network("198.18.0.1/16")])
    there = ["load", "--testbed", str(file), "-c", "1"]
    assert "tb.json: cannot be used: 198.18.0.1/16 has host bits set" in refused(capsys, *there)
    file.write_text("{}")
    assert "tb.json: is no testbed document: Object missing required field" in refused(capsys, *there)
    file.chmod(0o644)
    assert "run: chmod 600" in refused(capsys, *there)


def test_more_nodes_than_subscribers_are_refused(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, *LOAD, "--steps", "access", "-c", "1", "-n", "11", *files)
    assert message.endswith("nodes.csv holds 10 subscribers, not 11")


def test_a_secret_that_everyone_may_read_is_refused(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[1]).chmod(0o644)
    assert "run: chmod 600" in refused(capsys, *LOAD, "--steps", "access", "-c", "1", *files)


def test_trying_the_output_leaves_nothing_behind_and_harms_nothing(tmp_path: Path) -> None:
    plan("bench", "--json", str(tmp_path / "new.json"))
    assert not (tmp_path / "new.json").exists()
    (tmp_path / "old.json").write_text("kept")
    plan("bench", "--json", str(tmp_path / "old.json"))
    assert (tmp_path / "old.json").read_text() == "kept"


@pytest.mark.parametrize("arguments", [["--help"], ["bench", "--help"], ["load", "-h"], ["serve", "-h"], ["stats", "-h"],
                                       ["up", "-h"], ["doctor", "-h"], ["subscribers", "-h"], ["--version"]])
def test_help_and_version(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(arguments)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("mipstorm " if arguments == ["--version"] else "usage: mipstorm")
    assert arguments[0] in ("--help", "--version") or "examples:" in out


@pytest.mark.parametrize("role", ["aaah", "fha"])
def test_the_example_configuration_is_printed(capsys: pytest.CaptureFixture[str], role: str) -> None:
    assert main(["serve", role, "--example-config"]) == 0
    assert capsys.readouterr().out == example(role)


def engine(monkeypatch: pytest.MonkeyPatch, run_load: Callable[[Plan], Result]) -> None:
    """Puts another engine below the commands."""
    module = types.ModuleType("loadgen.run")
    module.run_load = run_load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "loadgen.run", module)


def test_the_result_becomes_table_document_and_exit_code(
        make_result: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    engine(monkeypatch, lambda plan: make_result(5, verdict="goal-missed", reasons=["5 failed"], nodes=plan.nodes))
    assert main(["bench", "-n", "1000", "--json", str(tmp_path / "r.json")]) == 4
    out, err = capsys.readouterr()
    assert "verdict  goal-missed: 5 failed" in out
    assert err == ""
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "goal-missed"


def test_a_document_on_standard_output_stands_there_alone(
        make_result: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    engine(monkeypatch, lambda plan: make_result())
    assert main(["bench", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "ok"
    assert "verdict  ok" in err


def test_quiet_is_quiet_unless_something_is_wrong(
        make_result: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    engine(monkeypatch, lambda plan: make_result())
    assert main(["bench", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    engine(monkeypatch, lambda plan: make_result(verdict="invariant-violated", reasons=["double lease: x"]))
    assert main(["bench", "-q"]) == 5
    assert capsys.readouterr() == ("", "mipstorm: invariant-violated: double lease: x\n")


def test_a_full_disk_loses_the_document_but_not_the_table(
        make_result: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    engine(monkeypatch, lambda plan: make_result())
    assert main(["bench", "--json", "/dev/full"]) == 2
    out, err = capsys.readouterr()
    assert "verdict  ok" in out
    assert err == "mipstorm: /dev/full: the result cannot be written: No space left on device\n"


def test_an_interrupt_and_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(plan: Plan) -> Result:
        raise KeyboardInterrupt

    def broken(plan: Plan) -> Result:
        raise ZeroDivisionError

    engine(monkeypatch, interrupted)
    assert main(["bench"]) == 130
    assert capsys.readouterr().err == "mipstorm: interrupted\n"
    engine(monkeypatch, broken)
    assert main(["bench"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from loadgen.cli.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code, "serve", "fha", "--example-config"], stdout=write,
                          stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.stderr, done.returncode) == ("", 1)


COMMAND = (sys.executable, "-c", "from loadgen.cli.main import run; run()", "serve", "fha", "--example-config")


@pytest.mark.parametrize("closed", [(1,), (0, 1), (0, 1, 2)])
def test_closed_standard_streams_are_no_fault_of_ours(closed: tuple[int, ...]) -> None:
    redirections = " ".join(f"{number}>&-" for number in closed)
    done = subprocess.run(["sh", "-c", f'"$@" {redirections}', "sh", *COMMAND], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_full_disk_behind_standard_output_is_told_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.stderr, done.returncode) == ("mipstorm: the system: No space left on device\n", 1)
