"""`subscribers`: files that the AAAH and the load take."""
import stat
from pathlib import Path

import pytest

from loadgen.cli.main import main
from servers.tables import subscribers_csv

FIRST_KEY = "45ad68b522084292e243458ba66a4661"  # of seed 7


def test_what_is_generated_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    assert main(["subscribers", "generate", "-n", "7", "--realm", "op.example", "--classes", "gold,standard",
                 "--locations", "nas-1,nas-2", "--spi", "5000", "-o", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = subscribers_csv.read(file)
    assert made.nai[6] == b"mn000006@op.example"
    assert (len(made), made.classes, made.locations, set(made.spi)) == (7, ["gold", "standard"], ["nas-1", "nas-2"], {5000})
    assert len({made.key[i] for i in range(7)}) == len({made.access_secret[i] for i in range(7)}) == 7


def test_the_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    def made(name: str, *seed: str) -> bytes:
        assert main(["subscribers", "generate", "-n", "3000", *seed, "-o", str(tmp_path / name)]) == 0
        return (tmp_path / name).read_bytes()

    seeded = made("a.csv", "--seed", "7")
    assert made("b.csv", "--seed", "7") == seeded
    assert len({seeded, made("c.csv", "--seed", "8"), made("d.csv"), made("e.csv")}) == 4
    columns = subscribers_csv.read(tmp_path / "a.csv")
    assert len({columns.key[k] for k in range(3000)}) == len({columns.access_secret[k] for k in range(3000)}) == 3000
    assert columns.key[0].hex() == FIRST_KEY                         # on every machine, and in every version


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv, lmdb, again = (tmp_path / name for name in ("nodes.csv", "nodes.lmdb", "again.csv"))
    assert main(["subscribers", "generate", "-n", "9", "-o", str(csv)]) == 0
    assert main(["subscribers", "import", str(csv), "-o", str(lmdb)]) == 0
    assert main(["subscribers", "export", str(lmdb), "-o", str(again)]) == 0
    assert capsys.readouterr().out == f"9 subscribers in {lmdb}\n9 subscribers in {again}\n"
    assert again.read_text() == csv.read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (lmdb, again)} == {0o600}


def test_what_cannot_be_turned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "nodes.csv"
    subscribers_csv.write(subscribers_csv.generate(1), csv)
    for arguments, message in (
            (["import", str(csv), "-o", str(tmp_path / "x.csv")], "x.csv: an LMDB file of subscribers is named *.lmdb"),
            (["import", "/none.csv", "-o", str(tmp_path / "x.lmdb")], "/none.csv: cannot be read: No such file"),
            (["import", str(csv), "-o", "/no/such/x.lmdb"], "/no/such/x.lmdb"),
            (["export", str(csv), "-o", str(tmp_path / "x.csv")], "nodes.csv: is not an LMDB file of subscribers"),
            (["export", "/none.lmdb", "-o", str(tmp_path / "x.csv")], "/none.lmdb: cannot be read: No such file")):
        assert main(["subscribers", *arguments]) == 2, arguments
        assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["nodes.csv"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--realm", "a b"], "'a b' is not a realm such as home.example"),
    (["--realm=-x.example"], "'-x.example' is not a realm"),
    (["--classes", "a,,b"], "'a,,b' is not a list of different names"),
    (["--classes", "a,a"], "'a,a' is not a list of different names"),
    (["--classes", ",".join(map(str, range(65)))], "more than 64 names"),
    (["--spi", "255"], "'255' is not a whole number from 256 to 4294967295"),
    (["-o", "/no/such/folder/x.csv"], "/no/such/folder/x.csv: cannot be written: No such file or directory")])
def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["subscribers", "generate", "-n", "1", "-o", str(tmp_path / "x.csv"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
