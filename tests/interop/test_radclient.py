"""radclient, FreeRADIUS's own client, against our AAAH."""
from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fastcodec.dictionary import SHIPPED
from servers.endpoint import Endpoint
from servers.tables.subscribers_csv import Subscribers
from tests.interop.peers import SECRET, aaah, free_port, program, subscribers

pytestmark = pytest.mark.interop
NAI, NODE = "mn000001@home.example", 1


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, int, Subscribers, Path]]:
    """Our AAAH: its address, its accounting port, whom it knows, its folder."""
    folder, accounting = tmp_path_factory.mktemp("aaah"), free_port()
    made = subscribers(folder, 5)
    (folder / "dictionary").write_text(f"$INCLUDE /usr/share/freeradius/dictionary\n$INCLUDE {SHIPPED}/dictionary.mipstorm\n")
    with aaah(folder, f'accounting_listen = "127.0.0.1:{accounting}"\nreject_delay_s = 0') as endpoint:
        yield endpoint, accounting, made, folder


def radclient(folder: Path, port: int, command: str, attributes: Sequence[str], secret: str = SECRET.decode()) -> str:
    """What it says: `Received Access-Accept ...` with the attributes, or that there was no reply."""
    done = subprocess.run([program("radclient"), "-x", "-D", str(folder), "-t", "1", "-r", "1", f"127.0.0.1:{port}", command, secret],
                          input="\n".join(attributes) + "\n", capture_output=True, text=True, timeout=10, check=False)
    return done.stdout + done.stderr


def nas(*credential: str) -> list[str]:
    return [f'User-Name = "{NAI}"', *credential, "NAS-IP-Address = 127.0.0.1", 'NAS-Identifier = "nas1"', "Service-Type = Framed-User",
            "Mipstorm-Requester-Role = NAS", "Message-Authenticator = 0x00"]


def shown(said: str) -> list[str]:
    """The attributes of the answer."""
    assert "Received Access-Accept" in said, said
    return [line.strip() for line in said.partition("Received Access-Accept")[2].splitlines()[1:]]


@pytest.mark.parametrize("kind", ["CHAP-Password", "User-Password"])
def test_access(known: tuple[Endpoint, int, Subscribers, Path], kind: str) -> None:
    endpoint, _, made, folder = known
    secret = made.access_secret[NODE].decode()
    got = shown(radclient(folder, endpoint.port, "auth", nas(f'{kind} = "{secret}"')))
    assert "Framed-IP-Address = 127.64.0.2" in got
    assert "Mipstorm-FHA-IP-Address = 127.0.0.1" in got
    assert got[0].startswith("Message-Authenticator = 0x")


def test_challenge_in_an_attribute_of_its_own(known: tuple[Endpoint, int, Subscribers, Path]) -> None:
    endpoint, _, made, folder = known
    chap = nas(f'CHAP-Password = "{made.access_secret[NODE].decode()}"', "CHAP-Challenge = 0x000102030405060708090a0b0c0d0e0f")
    assert "Framed-IP-Address = 127.64.0.2" in shown(radclient(folder, endpoint.port, "auth", chap))


@pytest.mark.parametrize("kind", ["CHAP-Password", "User-Password"])
def test_wrong_password(known: tuple[Endpoint, int, Subscribers, Path], kind: str) -> None:
    endpoint, _, _, folder = known
    assert "Received Access-Reject" in radclient(folder, endpoint.port, "auth", nas(f'{kind} = "wrong"'))


def test_wrong_secret_is_silence(known: tuple[Endpoint, int, Subscribers, Path]) -> None:
    endpoint, _, made, folder = known
    chap = nas(f'CHAP-Password = "{made.access_secret[NODE].decode()}"')
    said = radclient(folder, endpoint.port, "auth", chap, "another secret")
    assert "No reply from server" in said
    assert "Received" not in said


def test_proxy_states_come_back_in_order(known: tuple[Endpoint, int, Subscribers, Path]) -> None:
    endpoint, _, made, folder = known
    chap = nas(f'CHAP-Password = "{made.access_secret[NODE].decode()}"', "Proxy-State = 0x01", "Proxy-State = 0x0202")
    got = shown(radclient(folder, endpoint.port, "auth", chap))
    assert [line for line in got if line.startswith("Proxy-State")] == ["Proxy-State = 0x01", "Proxy-State = 0x0202"]


def test_status_server(known: tuple[Endpoint, int, Subscribers, Path]) -> None:
    endpoint, accounting, _, folder = known
    assert "Received Access-Accept" in radclient(folder, endpoint.port, "status", ["Message-Authenticator = 0x00"])
    assert "Received Accounting-Response" in radclient(folder, accounting, "status", ["Message-Authenticator = 0x00"])


@pytest.mark.parametrize("status", ["Start", "Interim-Update", "Stop"])
def test_accounting(known: tuple[Endpoint, int, Subscribers, Path], status: str) -> None:
    _, accounting, _, folder = known
    record = [f'User-Name = "{NAI}"', f"Acct-Status-Type = {status}", 'Acct-Session-Id = "s1"', "NAS-IP-Address = 127.0.0.1",
              "Framed-IP-Address = 198.18.0.7"]
    assert "Received Accounting-Response" in radclient(folder, accounting, "acct", record)
    assert "No reply" in radclient(folder, accounting, "acct", record, "another secret")
