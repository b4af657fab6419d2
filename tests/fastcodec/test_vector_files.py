"""The vector files: every fact of theirs is checked, what belongs together fits, and the checks miss nothing."""
import copy
import hmac

import pytest
from vector_checks import BY_ID, CHECKS, FILES, octets, values

import fastcodec as fc
from fastcodec.status import Status

LINKS = FILES["mobileip"]["radius"]
POSITIVE = [v for name in ("mobileip", "mobileip6", "access", "radius") for v in FILES[name]["vectors"] if v["kind"] != "negative"]


@pytest.mark.parametrize("vector", POSITIVE, ids=lambda v: v["id"])
def test_every_fact_of_a_vector(vector):
    CHECKS[vector["kind"]](vector)


SECRET = octets(FILES["access"]["keys"]["nas_aaah"])


@pytest.mark.parametrize(("name", "status"), [("nr-01", Status.NO_AUTHENTICATOR), ("nr-02", Status.BAD_AUTHENTICATOR), ("nr-03", None),
                                              ("nr-04", None), ("nr-05", Status.BAD_AUTHENTICATOR), ("nr-06", None), ("nr-07", None),
                                              ("nr-08", None)])
def test_negative_radius_with_eap(name, status):
    """Those that are discarded are not authentic; what is wrong with the others is for a server to judge."""
    vector = BY_ID[name]
    data, request = octets(vector["message_hex"]), octets(vector.get("request_authenticator", ""))
    asked = bytes((1, data[1], 0, 20)) + request if request else None

    def verify():
        return fc.verify_response(data, SECRET, asked) if asked else fc.verify_request(data, SECRET)
    if status:
        with pytest.raises(fc.AuthenticationError) as refusal:
            verify()
        assert refusal.value.status == status
        return
    verify()
    packet = fc.RadiusPacket.decode(data, SECRET, asked)
    inside = b"".join(value for kind, value in packet.attributes if kind == "EAP-Message")
    kinds = [kind for kind, _ in packet.attributes]
    if name == "nr-03":
        assert fc.EapPacket.decode(inside).code == 1
    elif name == "nr-04":
        assert (packet.code, fc.EapPacket.decode(inside).code) == (fc.Code.ACCESS_ACCEPT, 4)
    elif name == "nr-06":
        assert kinds[kinds.index("EAP-Message"):][:3] == ["EAP-Message", "State", "EAP-Message"]
        assert fc.EapPacket.decode(inside).encode() == inside
    elif name == "nr-07":
        assert {"CHAP-Password", "EAP-Message"} <= set(kinds)
    else:
        hidden = dict(fc.RadiusPacket.decode(data).attributes)["MS-MPPE-Recv-Key"]
        assert hidden[0] < 0x80
        assert fc.salt_decrypt(hidden, SECRET, request) == octets(BY_ID["r-06"]["fields"]["recv_key"])


def test_keys_in_an_accept():
    """RFC 2548 2.4.2, 2.4.3: the MSK in two halves."""
    vector = BY_ID["r-06"]
    hidden = dict(fc.RadiusPacket.decode(octets(vector["message_hex"])).attributes)
    fields = vector["fields"]
    for name, key, salt in (("MS-MPPE-Recv-Key", "recv_key", 0), ("MS-MPPE-Send-Key", "send_key", 1)):
        assert bytes(hidden[name])[:2] == octets(fields["salts"][salt])
        assert fc.salt_decrypt(hidden[name], SECRET, octets(fields["request_authenticator"])) == octets(fields[key])
    assert fields["recv_key"] + fields["send_key"] == FILES["access"]["derivations"]["gpsk_suite2"]["msk"]


# ---- RADIUS and Mobile IP together ------------------------------------------------------------------------------------

COVERED, PROOF, NONCE = 21, 22, 28           # vendor types: what the MN-AAA authenticator covers, itself, the nonce for the node


@pytest.mark.parametrize("link", LINKS["links"], ids=lambda link: link["radius"])
def test_what_belongs_together(link):
    """The question holds what the request's authenticator covers, the reply what the answer brought. RFC 4721 6, 8, RFC 3957 5."""
    radius, mobile = BY_ID[link["radius"]], BY_ID[link.get("rrq") or link.get("rrp") or link.get("bu") or link["ba"]]
    data = octets(mobile.get("message_hex") or mobile["mh_hex"])
    if "rrq" in link:
        check_question(radius, data, octets(link["C_hex"]), mobile, octets(FILES["mobileip"]["keys"][link["mn_aaa_key"]]))
    elif "rrp" in link:
        check_answer(radius, data, link)
    elif "bu" in link:
        assert values(radius, PROOF) == octets(mobile["auth"][0]["authenticator_hex"])
        assert mobile["auth"][0]["key"] == link["mn_aaa_key"]
    else:
        assert mobile["auth"][0]["key"] == link["derived_key"]
        assert radius["message_hex"][:2] == "02"


def check_question(radius, data, covered, mobile, key):
    assert values(radius, COVERED) in (covered, b"")
    proof = next(row for row in mobile["auth"] if row["type"] == 36)
    if radius["id"] == "rx-32":                              # a longer request, of which the vector holds no reply
        assert len(covered) == 655
        assert values(radius, PROOF) == hmac.digest(key, covered, "md5")
        return
    assert covered == data[:proof["covered"][1]]
    assert octets(proof["key_hex"]) == key
    if proof["alg"] == "rfc4721-chap":
        assert mobile["radius_chap"]["CHAP-Password_attr_hex"] in radius["message_hex"]
        assert mobile["radius_chap"]["CHAP-Challenge_attr_hex"] in radius["message_hex"]
        return
    told = values(radius, PROOF)
    assert (told == octets(proof["authenticator_hex"])) == (radius["id"] != "rx-30")      # whose last bit is another
    assert told[:-1] == octets(proof["authenticator_hex"])[:-1]


def check_answer(radius, data, link):
    message, derived = fc.Mip4Message.decode(data), FILES["mobileip"]["derivations"][link["derived_key"]]
    nonces = {type(e): e.nonce for e in message.extensions if hasattr(e, "nonce")}
    assert octets(derived["nonce"]) == octets(link["nonce_hex"])
    assert octets(link["nonce_hex"]) == nonces[fc.MnFaNonceReply if "fa" in link["derived_key"] else fc.NonceReply]
    if "mn_fa_nonce_hex" in link:
        assert octets(link["mn_fa_nonce_hex"]) == nonces[fc.MnFaNonceReply]
    if values(radius, NONCE):
        assert values(radius, NONCE) == octets(link["nonce_hex"])
    assert fc.derive_key(octets(derived["aaa_key"]), octets(link["nonce_hex"]), derived["nai"]) == octets(derived["key"])


def test_the_clock_of_a_vector():
    """An order that is too old when it comes, RFC 5176 6.3: its Event-Timestamp is 400 s before that moment."""
    row, = LINKS["clock"]
    packet = fc.RadiusPacket.decode(octets(BY_ID[row["radius"]]["message_hex"]))
    moment = packet.attributes.get("Event-Timestamp")
    assert row["now_unix"] - int(getattr(moment, "timestamp", lambda: moment)()) == 400
    assert row["now_unix"] == FILES["mobileip"]["ntp0"] - 2208988800


# ---- and the checks themselves -----------------------------------------------------------------------------------------

# What is said to people, and what names other things: nothing to check it against.
TOLD = {"id", "title", "kind", "refs", "notes", "name", "step", "source", "expect", "what", "gap", "tshark", "subtype", "tag", "encryption",
        "value", "plain", "plain_hex", "plain_password", "secret", "request", "authenticator_kind", "alg", "key", "attr", "recv_key",
        "send_key", "salts", "inner"}


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name)) if name not in TOLD else ()
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from leaves(inner, (*path, k))
    else:
        yield path, value


def changed(value):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    if value and all(c in "0123456789abcdef" for c in value):
        return value[:-1] + "0123456789abcdef"[int(value[-1], 16) ^ 1]
    return value[:-1] + ("1" if value[-1:] != "1" else "2")


@pytest.mark.parametrize("vector", POSITIVE, ids=lambda v: v["id"])
def test_no_fact_of_a_vector_is_unused(vector):
    """Change any one, and the checks fail."""
    unused = []
    for path, value in leaves(vector):
        other = copy.deepcopy(vector)
        place = other
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = changed(value)
        try:
            CHECKS[vector["kind"]](other)
        except Exception:
            continue
        unused.append(path)
    assert unused == []
