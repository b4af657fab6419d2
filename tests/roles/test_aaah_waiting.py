"""Replies that wait: the Reject to a NAS for its time, the Accept and the accounting answer for the journal."""

import hashlib
from pathlib import Path

import pytest
from home import ACCESS, ACCOUNTING, HomeDesk, request_authenticated, status_server
from world import FHA, NAS, SECOND, SECRET

from fastcodec import Hidden, RadiusPacket

START, STOP, INTERIM, ON, OFF = 1, 2, 3, 7, 8


def rejected(desk: HomeDesk, identifier: int = 1) -> bytes:
    return desk.pap_request(password=b"wrong", identifier=identifier)


# ---- reject delay, ruling 20 -----------------------------------------------------------------------------------------

def test_a_nas_waits_for_its_reject() -> None:
    desk = HomeDesk(reject_delay_ms=1000)
    request = rejected(desk)
    assert desk.tell(request, seconds=0.99) == []
    assert desk.aaah.under_way == 1
    mark = len(desk.net.tap)
    desk.net.run(desk.net.now + SECOND // 50)
    (sent,) = desk.net.tap[mark:]
    assert RadiusPacket.decode(sent.data, SECRET, request).code == 3
    assert (sent.source, sent.destination) == (("127.0.0.1", ACCESS), (NAS, 40999))
    assert desk.aaah.under_way == 0


@pytest.mark.parametrize("milliseconds", [1, 50, 2500, 10_000])
def test_delay_is_as_configured(milliseconds: int) -> None:
    desk = HomeDesk(reject_delay_ms=milliseconds)
    began = desk.net.now
    desk.tell(rejected(desk), seconds=11)
    (sent,) = [t for t in desk.net.tap if t.source == ("127.0.0.1", ACCESS)]
    assert 0 <= sent.time_ns - began - milliseconds * 1_000_000 < 5_000_000, "a tick of the wheel is 2.1 ms"


def test_only_rejects_to_a_nas_are_delayed() -> None:
    desk = HomeDesk(reject_delay_ms=1000)
    assert desk.answer(desk.pap_request()).code == 2
    assert desk.answer(desk.key_request(identifier=2, Mipstorm_MN_AAA_Authenticator=bytes(16))).code == 3
    assert desk.answer(status_server(3)).code == 2


def test_duplicates_of_a_delayed_reject() -> None:
    """RFC 5080 2.2.2: nothing while it waits, the same octets afterwards."""
    desk = HomeDesk(reject_delay_ms=1000)
    request = rejected(desk)
    assert desk.tell(request, seconds=0.5) == []
    desk.refusal(request, "duplicate_pending")
    (first,) = desk.tell(status_server(2), seconds=0.6)[1:]
    assert desk.tell(request) == [first]


def test_rejects_leave_half_of_the_room_to_others() -> None:
    desk = HomeDesk(reject_delay_ms=1000, capacity=8)
    for k in range(4):
        assert desk.tell(rejected(desk, k)) == []
    desk.refusal(rejected(desk, 9), "reply_limit")
    assert len(desk.tell(status_server(10), seconds=1.1)) == 5
    desk.tell(rejected(desk, 11), seconds=1.1)
    assert desk.aaah.under_way == 0


def test_many_rejects_at_once() -> None:
    """More than one turn of the timer carries."""
    desk = HomeDesk(reject_delay_ms=100)
    for k in range(700):
        desk.net.inject((NAS, 20000 + k), ("127.0.0.1", ACCESS), rejected(desk, k % 256))
    desk.net.run(desk.net.now + SECOND)
    assert len([t for t in desk.net.tap if t.source == ("127.0.0.1", ACCESS)]) == 700
    assert (desk.aaah.under_way, desk.aaah.replies_sent) == (0, (0, 700))


# ---- what must survive -----------------------------------------------------------------------------------------------

def test_an_accept_waits_for_nothing_and_is_on_disk_within_200_ms(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    request = desk.access_request()
    (octets,) = desk.tell(request)
    assert RadiusPacket.decode(octets, SECRET, request).code == 2
    assert 0 < desk.aaah.due() - desk.net.now <= 200_000_000
    desk.net.run(desk.net.now + 250_000_000)
    assert desk.aaah.due() == 0
    desk.commit()
    assert desk.aaah_store.journal.counters()["records"] == 1
    assert desk.tell(request) == [octets]


def test_rejects_and_refused_clocks_write_nothing(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    assert desk.answer(rejected(desk)).code == 3
    assert desk.answer(desk.key_request(identifier=2, rrq=desk.rrq(identification=desk.ntp(3600)))).code == 2
    assert desk.aaah_store.journal.counters()["records"] == 0


def restarted(desk: HomeDesk, path: Path, compact: bool) -> HomeDesk:
    """The same subscribers and the same moment, another process."""
    if compact:
        desk.aaah_store.compact(desk.aaah.records(desk.net.now, desk.wall()))
    desk.aaah_store.close()

    class Again(HomeDesk):
        def add_aaah(self) -> None:
            self.columns = desk.columns
            self.net.now = desk.net.now
            super().add_aaah()

    return Again(aaah_state=path, fhas=[FHA, "127.0.0.9"])


@pytest.mark.parametrize("compact", [False, True])
def test_who_may_ask_survives_a_restart(tmp_path: Path, compact: bool) -> None:
    """The FHA of step 3 may, another one of the policy may not; of a node never seen any may (ruling 18)."""
    desk = HomeDesk(aaah_state=tmp_path)
    assert desk.answer(desk.access_request(3), commit=True).code == 2
    after = restarted(desk, tmp_path, compact)
    other = after.key_request(3, rrq=after.rrq(3, agent="127.0.0.9"), NAS_IP_Address="127.0.0.9")
    assert dict(after.answer(other).attributes)["Mipstorm-Denial-Code"] == 129
    assert after.answer(after.key_request(3, identifier=2), commit=True).code == 2
    assert "fha_unbound" not in after.aaah.counters()
    unseen = after.key_request(4, rrq=after.rrq(4, agent="127.0.0.9"), NAS_IP_Address="127.0.0.9", identifier=3)
    assert after.answer(unseen, commit=True).code == 2
    assert after.aaah.counters()["fha_unbound"] == 1


@pytest.mark.parametrize("compact", [False, True])
def test_the_last_identification_survives_a_restart(tmp_path: Path, compact: bool) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    rrq = desk.rrq(identification=desk.ntp(2))
    assert desk.answer(desk.key_request(rrq=rrq), commit=True).code == 2
    after = restarted(desk, tmp_path, compact)
    older = after.key_request(rrq=after.rrq(identification=after.ntp(1)))
    assert dict(after.answer(older).attributes)["Mipstorm-Denial-Code"] == 133
    assert after.answer(after.key_request(rrq=rrq, identifier=2), commit=True).code == 2, "the same octets again"
    newer = after.key_request(rrq=after.rrq(identification=after.ntp(3)), identifier=3)
    assert after.answer(newer, commit=True).code == 2


def test_assignments_end_with_the_session(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path, session_timeout_s=60)
    assert desk.answer(desk.access_request(), commit=True).code == 2
    desk.net.run(desk.net.now + 62 * SECOND)
    after = restarted(desk, tmp_path, False)
    other = after.key_request(rrq=after.rrq(agent="127.0.0.9"), NAS_IP_Address="127.0.0.9")
    assert after.answer(other, commit=True).code == 2
    assert after.aaah.counters() == {"fha_unbound": 1}


# ---- accounting, RFC 2866 --------------------------------------------------------------------------------------------

def accounting(status: int = START, identifier: int = 1, *more: tuple[str, object], secret: bytes = SECRET,
               leave_out: str = "") -> bytes:
    values = [("Acct-Status-Type", status), ("Acct-Session-Id", "0001"), ("NAS-IP-Address", FHA), *more]
    return request_authenticated(4, identifier, [pair for pair in values if pair[0] != leave_out], secret)


def is_response(octets: bytes, request: bytes) -> bool:
    return (octets[0], octets[1]) == (5, request[1]) and octets[4:20] == hashlib.md5(
        octets[:4] + request[4:20] + octets[20:] + SECRET).digest()


@pytest.mark.parametrize("status", [START, STOP, INTERIM, ON, OFF])
def test_accounting_is_acknowledged_when_it_is_stored(tmp_path: Path, status: int) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    request = accounting(status)
    (octets,) = desk.tell(request, port=ACCOUNTING, commit=True)
    assert is_response(octets, request)
    assert len(octets) == 20, "RFC 2866 4.2, RFC 3579 3.3: nothing else, no Message-Authenticator"
    desk.aaah_store.close()
    (record,) = HomeDesk(aaah_state=tmp_path).accounted
    assert record[14:] == request


def test_nothing_is_acknowledged_before_it_is_durable(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    desk.aaah.feed(1, [(NAS, 40999, "127.0.0.1", accounting())], desk.net.now, desk.wall())
    assert (desk.aaah.under_way, desk.aaah.drain()) == (1, [])
    desk.commit()
    assert (desk.aaah.under_way, len(desk.aaah.drain())) == (0, 1)


def test_a_journal_that_failed_acknowledges_nothing(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    desk.aaah_store.close()                                           # appends are refused from here on
    desk.refusal(accounting(), "journal_failed", port=ACCOUNTING)
    assert desk.answer(desk.access_request()).code == 2                # promises nothing that only a journal can keep
    desk.refusal(accounting(), "journal_failed", port=ACCOUNTING)     # not a duplicate: nothing is pending


def test_accounting_duplicates_are_stored_once(tmp_path: Path) -> None:
    desk = HomeDesk(aaah_state=tmp_path)
    request = accounting()
    first = desk.tell(request, port=ACCOUNTING, commit=True)
    assert desk.tell(request, port=ACCOUNTING) == first
    assert desk.aaah_store.journal.counters()["records"] == 1
    desk.tell(accounting(STOP), port=ACCOUNTING, commit=True)         # the same identifier, another request
    assert desk.aaah_store.journal.counters()["records"] == 2


def test_proxy_states_of_accounting_are_echoed() -> None:
    desk = HomeDesk()
    request = accounting(START, 1, ("Proxy-State", b"one"), ("Proxy-State", b"two"))
    (octets,) = desk.tell(request, port=ACCOUNTING)
    assert is_response(octets, request)
    assert list(RadiusPacket.decode(octets).attributes) == [("Proxy-State", b"one"), ("Proxy-State", b"two")]


@pytest.mark.parametrize(("counter", "request_"), [
    ("bad_request_authenticator", accounting(secret=b"another secret")),
    ("bad_request_authenticator", accounting()[:-1] + b"\x09"),
    ("bad_request_authenticator", RadiusPacket(4, 1, bytes(range(16)), [("Acct-Status-Type", 1)]).encode()),
    ("poorly_formed", accounting(leave_out="Acct-Status-Type")), ("poorly_formed", accounting(leave_out="Acct-Session-Id")),
    ("poorly_formed", accounting(leave_out="NAS-IP-Address")),
    ("poorly_formed", accounting(START, 1, ("Acct-Status-Type", 2))),
    ("poorly_formed", accounting(START, 1, ("User-Password", Hidden(bytes(16))))),
    ("poorly_formed", accounting(START, 1, ("CHAP-Password", bytes(17)))),
], ids=lambda value: value if isinstance(value, str) else "")
def test_accounting_refused(counter: str, request_: bytes) -> None:
    HomeDesk().refusal(request_, counter, port=ACCOUNTING)


def test_message_authenticator_of_accounting_is_not_looked_at() -> None:
    """RFC 3579 3.3: it must not be there; the packet is covered by its own authenticator."""
    desk = HomeDesk()
    request = accounting(START, 1, ("Message-Authenticator", bytes(16)))
    (octets,) = desk.tell(request, port=ACCOUNTING)
    assert is_response(octets, request)


def test_each_port_has_its_requests() -> None:
    desk = HomeDesk()
    desk.refusal(accounting(), "unknown_code")
    desk.refusal(desk.access_request(), "unknown_code", port=ACCOUNTING)
    assert desk.tell(accounting(), port=ACCOUNTING), "identifiers of the two ports are apart"


# ---- Status-Server, RFC 5997 -----------------------------------------------------------------------------------------

def test_status_server_is_answered_on_both_ports() -> None:
    desk = HomeDesk()
    access = desk.answer(status_server())
    assert (access.code, [name for name, _ in access.attributes]) == (2, ["Message-Authenticator"])
    assert desk.answer(status_server(2), port=ACCOUNTING).code == 5
    assert desk.aaah.replies_sent == (0, 0)


def test_status_server_with_a_wrong_signature() -> None:
    HomeDesk().refusal(status_server(secret=b"another secret"), "bad_message_authenticator")


def test_status_server_flood() -> None:
    """Reliability A41: at most ten a second and client, also of the same octets."""
    desk = HomeDesk()
    same = status_server(0)
    for k in range(40):
        desk.net.inject((NAS, 40000 + k % 3), ("127.0.0.1", ACCESS), same if k % 2 else status_server(k))
    desk.net.inject(("127.0.0.4", 40000), ("127.0.0.1", ACCESS), status_server(0))
    desk.net.run(desk.net.now + SECOND // 100)
    answers = [t.destination[0] for t in desk.net.tap if t.source == ("127.0.0.1", ACCESS)]
    assert (answers.count(NAS), answers.count("127.0.0.4")) == (10, 1)
    assert desk.aaah.counters() == {"reply_limit": 30}
    desk.net.run(desk.net.now + SECOND)
    assert desk.tell(same)


def test_status_server_leaves_pending_requests_alone() -> None:
    """RFC 5997 4.1 shares identifiers: the watchdog of the same number ends no exchange."""
    desk = HomeDesk(reject_delay_ms=1000)
    request = rejected(desk, 7)
    desk.tell(request)
    assert desk.tell(status_server(7))
    desk.refusal(request, "duplicate_pending")
