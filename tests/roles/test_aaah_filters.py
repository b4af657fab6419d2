"""What may leave the AAAH, to whom: radius.md 10 as two lists; whatever else stood in an Accept would be a leak."""

from typing import Any

import pytest
from home import ACCOUNTING, HomeDesk, request_authenticated, status_server
from world import FHA

TO_NAS = {"User-Name", "Service-Type", "Framed-IP-Address", "Framed-IP-Netmask", "Reply-Message", "State", "Class",
          "Session-Timeout", "Termination-Action", "Proxy-State", "EAP-Message", "Message-Authenticator",
          "Acct-Interim-Interval", "Chargeable-User-Identity", "Mipstorm-FHA-IP-Address", "Mipstorm-FHA-FQDN",
          "Mipstorm-CoA-Type", "Mipstorm-Registration-Lifetime"}
TO_FHA = {"User-Name", "Service-Type", "Framed-IP-Address", "Reply-Message", "Class", "Session-Timeout", "Proxy-State",
          "Message-Authenticator", "Acct-Interim-Interval", "Framed-IPv6-Prefix", "Framed-IPv6-Address",
          "Mipstorm-IPv6-Home-Address", "Mipstorm-IPv6-Home-Agent", "Mipstorm-Registration-Lifetime", "Mipstorm-Denial-Code",
          "Mipstorm-AAA-SPI", "Mipstorm-MN-FHA-MN-SPI", "Mipstorm-MN-FHA-FHA-SPI", "Mipstorm-MN-FHA-Nonce",
          "Mipstorm-MN-FHA-Key", "Mipstorm-MN-FHA-Algorithm", "Mipstorm-MN-FHA-Replay-Method",
          "Mipstorm-MN-FHA-Key-Lifetime"}
BARE = {"Message-Authenticator", "Proxy-State"}
STATE = ("Proxy-State", b"a proxy's")


def names(desk: HomeDesk, request: bytes) -> tuple[int, list[str]]:
    reply = desk.answer(request)
    return reply.code, [name for name, _ in reply.attributes]


@pytest.mark.parametrize("coa_type", [1, 2, 3])
@pytest.mark.parametrize("pap", [False, True])
def test_accept_to_a_nas(pap: bool, coa_type: int) -> None:
    desk = HomeDesk(fhas=[f"127.0.0.{k}" for k in range(2, 12)])
    ask = desk.pap_request if pap else desk.access_request
    code, seen = names(desk, ask(more=[STATE], Mipstorm_CoA_Type=coa_type, Mipstorm_Key_Request=255))
    assert (code, set(seen) - TO_NAS) == (2, set())
    assert seen.count("Mipstorm-FHA-IP-Address") == 4
    assert seen[-1] == "Proxy-State"


@pytest.mark.parametrize("keys", [0, 1, 255])
@pytest.mark.parametrize("chap", [False, True])
def test_accept_to_an_fha(chap: bool, keys: int) -> None:
    """Whatever keys it asks for, it gets its own at most."""
    desk = HomeDesk()
    code, seen = names(desk, (desk.chap_key_request if chap else desk.key_request)(more=[STATE], Mipstorm_Key_Request=keys))
    assert (code, set(seen) - TO_FHA) == (2, set())
    assert ("Mipstorm-MN-FHA-Key" in seen) is bool(keys)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("changes", [
    {"CHAP_Password": bytes(17)}, {"CHAP_Password": None}, {"User_Name": None}, {"User_Name": "nobody@home.example"},
], ids=str)
def test_reject_to_a_nas_says_nothing(changes: dict[str, Any]) -> None:
    """RFC 2865 5.44, radius.md 9.6: no vendor attribute; and an unknown name looks like a wrong password."""
    desk = HomeDesk()
    code, seen = names(desk, desk.access_request(more=[STATE], **changes))
    assert (code, set(seen)) == (3, BARE)


@pytest.mark.parametrize("denial_code", [False, True])
def test_reject_to_an_fha_says_why_where_configured_so(denial_code: bool) -> None:
    desk = HomeDesk(client={"denial_code": denial_code})
    code, seen = names(desk, desk.key_request(more=[STATE], Mipstorm_MN_AAA_Authenticator=bytes(16)))
    assert (code, set(seen)) == (3, BARE | ({"Mipstorm-Denial-Code"} if denial_code else set()))


def test_other_answers_are_bare() -> None:
    desk = HomeDesk()
    assert names(desk, status_server()) == (2, ["Message-Authenticator"])
    start = [("Acct-Status-Type", 1), ("Acct-Session-Id", "1"), ("NAS-IP-Address", FHA)]
    (octets,) = desk.tell(request_authenticated(4, 1, start), port=ACCOUNTING)
    assert len(octets) == 20


def test_a_nas_gets_no_keys_whatever_it_claims() -> None:
    desk = HomeDesk(client={"roles": 1 << 1})
    code, seen = names(desk, desk.key_request())
    assert (code, "Mipstorm-MN-FHA-Key" in seen) == (3, False)
    assert desk.aaah.counters() == {"wrong_role": 1}
