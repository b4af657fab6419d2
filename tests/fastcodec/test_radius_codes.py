"""How each code is signed, which answers which, hidden values, and the limits a caller may set."""
import copy
import hashlib
import hmac
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AcctPacket, CoAPacket

import fastcodec as fc
from fastcodec.dictionary import SHIPPED
from fastcodec.hiding import ascend_secret
from fastcodec.status import Status

SECRET = b"a shared secret"
ANSWERS = {1: (2, 3, 11), 4: (5,), 12: (2, 3, 5), 40: (41, 42), 43: (44, 45)}
NAME = ("User-Name", "mn0001@home.example")


def by_hand(data, secret, answered=None):
    """Both authenticators of a packet, said once more from RFC 2865 3, RFC 2866 3, RFC 3579 3.2, RFC 5176 2.3."""
    code, at = data[0], data.find(b"\x50\x12", 20)
    head = {1: data[4:20], 12: data[4:20], 4: bytes(16), 40: bytes(16), 43: bytes(16)}.get(code, answered)
    if at > 0:
        zeroed = data[:4] + head + data[20:at + 2] + bytes(16) + data[at + 18:]
        assert data[at + 2:at + 18] == hmac.new(secret, zeroed, hashlib.md5).digest()
    if code not in (1, 12):
        assert data[4:20] == hashlib.md5(data[:4] + head + data[20:] + secret).digest()


@pytest.mark.parametrize("code", ANSWERS)
def test_requests_and_their_answers(code):
    request = fc.RadiusPacket(code, 7, attributes=[NAME])
    octets = request.encode(SECRET)
    by_hand(octets, SECRET)
    fc.verify_request(octets, SECRET)
    assert request.authenticator == octets[4:20], "kept, so that an answer can be checked"
    names = [name for name, _ in fc.RadiusPacket.decode(octets, SECRET).attributes]
    assert names == (["User-Name"] if code == 4 else ["Message-Authenticator", "User-Name"])
    for reply in range(256):
        if reply in (*ANSWERS[code], 52):
            answer = fc.RadiusPacket(reply, 7, attributes=[("Proxy-State", b"p")]).encode(SECRET, request)
            by_hand(answer, SECRET, octets[4:20])
            fc.verify_response(answer, SECRET, octets)
            assert (b"\x50\x12" in answer[:24]) is (reply != 5)
            assert fc.RadiusPacket.decode(answer, SECRET, request).code == reply
        else:
            answer = fc.RadiusPacket(reply, 7, attributes=[("Proxy-State", b"p")]).encode(SECRET, octets[4:20])
            with pytest.raises(fc.AuthenticationError) as refusal:
                fc.verify_response(answer, SECRET, octets)
            assert refusal.value.status == Status.WRONG_TYPE


@pytest.mark.parametrize("code", [4, 40, 43])
@pytest.mark.parametrize("at", [4, 19, 20, 22, 30, -1])
def test_a_digest_covers_all(code, at):
    octets = bytearray(fc.RadiusPacket(code, 7, attributes=[NAME]).encode(SECRET))
    octets[at] ^= 1
    with pytest.raises((fc.AuthenticationError, fc.DecodeError)):
        fc.verify_request(bytes(octets), SECRET)
    with pytest.raises(fc.AuthenticationError):
        fc.verify_request(fc.RadiusPacket(code, 7, attributes=[NAME]).encode(b"another"), SECRET)


def test_message_authenticator_of_accounting_is_not_looked_at():
    """RFC 3579 3.3 has none there."""
    octets = fc.RadiusPacket(4, 7, attributes=[("Message-Authenticator", bytes(16))]).encode(SECRET)
    wrong = octets[:4] + bytes(16) + octets[20:22] + b"x" * 16
    wrong = wrong[:4] + hashlib.md5(wrong + SECRET).digest() + wrong[20:]
    fc.verify_request(wrong, SECRET)
    batch = fc.RadiusBatch(*rows([wrong]))
    batch.walk()
    assert batch.verify(fc.SecretArray([SECRET])).tolist() == [Status.OK]
    assert batch.datagram(0) == wrong


def rows(datagrams):
    import numpy as np
    out = np.zeros((len(datagrams), max(map(len, datagrams))), np.uint8)
    for k, data in enumerate(datagrams):
        out[k, :len(data)] = np.frombuffer(data, np.uint8)
    return out, [len(data) for data in datagrams]


@pytest.mark.parametrize("code", [2, 3, 5, 11, 41, 42, 44, 45, 52])
def test_an_answer_needs_its_request(code):
    with pytest.raises(fc.EncodeError, match="answers one"):
        fc.RadiusPacket(code, 7).encode(SECRET)
    with pytest.raises(fc.AuthenticationError):
        fc.verify_request(fc.RadiusPacket(code, 7).encode(SECRET, bytes(16)), SECRET)


@pytest.mark.parametrize(("kind", "code", "reply"), [(AcctPacket, 4, 5), (CoAPacket, 43, 44), (CoAPacket, 40, 41)])
def test_pyrad_agrees_on_accounting_and_orders(kind, code, reply):
    dictionary = PyradDictionary(str(SHIPPED / "dictionary.rfc2865"), str(SHIPPED / "dictionary.rfc2866"),
                                 str(SHIPPED / "dictionary.rfc2869"))
    ours = fc.RadiusPacket(code, 9, attributes=[NAME, ("Acct-Session-Id", "17")]).encode(SECRET)
    theirs = kind(packet=ours, secret=SECRET, dict=dictionary)
    assert theirs.VerifyAcctRequest() if kind is AcctPacket else theirs.VerifyCoARequest()
    answer = theirs.CreateReply()
    answer.code = reply
    if kind is not AcctPacket:
        answer.add_message_authenticator()
    octets = answer.ReplyPacket()
    assert fc.RadiusPacket.decode(octets, SECRET, ours).code == reply
    made = kind(code=code, id=3, secret=SECRET, dict=dictionary)
    made["User-Name"] = NAME[1]
    fc.verify_request(made.RequestPacket(), SECRET, require=False)


# ---- hidden values ---------------------------------------------------------------------------------------------------------

REQUEST = fc.RadiusPacket(1, 3, bytes(range(16)), [NAME])
KEYS = [("MS-MPPE-Send-Key", bytes(range(32))), ("MS-MPPE-Recv-Key", bytes(range(32, 64))), ("Tunnel-Password:1", "tunnel secret"),
        ("Tunnel-Password", "another"), ("Mipstorm-MN-FHA-Key", bytes(range(20)))]


def test_keys_are_hidden_and_revealed():
    octets = fc.RadiusPacket(2, 3, attributes=KEYS).encode(SECRET, REQUEST)
    for _, value in KEYS:
        assert (value.encode() if isinstance(value, str) else value) not in octets
    got = fc.RadiusPacket.decode(octets, SECRET, REQUEST)
    assert list(got.attributes)[1:] == KEYS
    salts = [value.salt for _, value in list(got.attributes)[1:]]
    assert len(set(salts)) == 5
    assert min(salts) >= 0x8000
    assert "tunnel secret" not in repr(got.attributes) + str(got) + str(got.to_dict())
    blind = fc.RadiusPacket.decode(octets).attributes
    assert all(isinstance(value, fc.Hidden) for _, value in list(blind)[1:])
    assert fc.salt_decrypt(blind["MS-MPPE-Send-Key"], SECRET, REQUEST.authenticator) == bytes(range(32))


def test_salts_stay_and_are_given():
    octets = fc.RadiusPacket(2, 3, attributes=KEYS).encode(SECRET, REQUEST)
    pairs = list(fc.RadiusPacket.decode(octets, SECRET, REQUEST).attributes)
    assert fc.RadiusPacket(2, 3, attributes=pairs).encode(SECRET, REQUEST) == octets
    pairs[1] = (pairs[1][0], fc.Revealed(b"changed", pairs[1][1].salt))
    changed = fc.RadiusPacket(2, 3, attributes=pairs).encode(SECRET, REQUEST)
    assert fc.RadiusPacket.decode(changed, SECRET, REQUEST).attributes["MS-MPPE-Send-Key"] == b"changed"
    fixed = [("MS-MPPE-Send-Key", fc.Revealed(b"key", 0x8001))]
    first, second = (fc.RadiusPacket(2, 3, attributes=fixed).encode(SECRET, REQUEST) for _ in range(2))
    assert first == second


def test_what_is_hidden_already_is_written_as_it_stands():
    hidden = fc.salt_encrypt(b"key", SECRET, REQUEST.authenticator, 0x8001)
    octets = fc.RadiusPacket(2, 3, attributes=[("MS-MPPE-Send-Key", hidden)]).encode(SECRET, REQUEST)
    assert hidden in octets
    assert fc.RadiusPacket.decode(octets, SECRET, REQUEST).attributes["MS-MPPE-Send-Key"] == b"key"


def test_a_proxy_hides_under_the_next_secret():
    """RFC 2865 2.3, 5.2: revealed under one side's secret and authenticator, hidden under the other's."""
    first = fc.RadiusPacket(1, 3, attributes=[("User-Password", "wörd")])
    seen = fc.RadiusPacket.decode(first.encode(SECRET), SECRET)
    assert seen.attributes["User-Password"] == "wörd"
    onward = fc.RadiusPacket(1, 9, attributes=seen.attributes)
    again = fc.RadiusPacket.decode(onward.encode(b"the next secret"), b"the next secret")
    assert again.attributes["User-Password"] == "wörd"
    reply = fc.RadiusPacket(2, 9, attributes=KEYS).encode(b"the next secret", onward)
    back = fc.RadiusPacket(2, 3, attributes=fc.RadiusPacket.decode(reply, b"the next secret", onward).attributes)
    assert list(fc.RadiusPacket.decode(back.encode(SECRET, first), SECRET, first).attributes)[1:] == KEYS


def test_hidden_without_a_secret_and_where_nothing_hides():
    with pytest.raises(fc.EncodeError, match="hidden on the wire"):
        fc.RadiusPacket(1, 3, bytes(16), [("User-Password", "x")]).encode()
    with pytest.raises(fc.EncodeError, match="hidden on the wire"):
        fc.RadiusPacket(43, 3, attributes=[("Tunnel-Password:1", "x")]).encode(SECRET)
    for code in (40, 43, 4):         # RFC 5176 has no hiding for them: a key would go out in the clear
        with pytest.raises(fc.EncodeError, match="MS-MPPE-Send-Key: is hidden on the wire"):
            fc.RadiusPacket(code, 3, attributes=[("MS-MPPE-Send-Key", bytes(32))]).encode(SECRET)
    with pytest.raises(fc.EncodeError, match="MS-MPPE-Send-Key: is hidden on the wire"):
        fc.RadiusPacket(2, 3, bytes(16), [("MS-MPPE-Send-Key", bytes(32))]).encode()
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RadiusPacket(1, 3, attributes=[("User-Password", "x" * 129)]).encode(SECRET)
    assert refusal.value.field == "User-Password"


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=32), st.binary(max_size=237),
       st.integers(0, 255))
def test_any_password_any_key(password, key, tag):
    request = fc.RadiusPacket(1, 3, attributes=[("User-Password", password)])
    assert fc.RadiusPacket.decode(request.encode(SECRET), SECRET).attributes["User-Password"] == password
    name = f"Tunnel-Password:{tag}" if tag else "Tunnel-Password"
    attributes = [("MS-MPPE-Send-Key", key), (name, key)]
    got = list(fc.RadiusPacket.decode(fc.RadiusPacket(2, 3, attributes=attributes).encode(SECRET, request), SECRET, request).attributes)[1:]
    assert [(n, v.encode() if isinstance(v, str) else v) for n, v in got] == attributes


def test_ascend_send_secret(tmp_path):
    """encrypt=3: sixteen octets, MD5 of authenticator and secret; and encrypt=1 of a fixed size (RFC 2548 2.4.1)."""
    path = tmp_path / "dictionary.ascend"
    path.write_text("VENDOR Ascend 529\nBEGIN-VENDOR Ascend\nATTRIBUTE Ascend-Send-Secret 214 string encrypt=3\n"
                    "ATTRIBUTE Keys 12 octets[24] encrypt=1\nATTRIBUTE Number 13 integer encrypt=2\nEND-VENDOR Ascend\n")
    fc.configure(fc.load(path))
    try:
        keys = bytes(range(20)) + bytes(4)
        pairs = [("Ascend-Send-Secret", "hush"), ("Keys", keys), ("Number", 7)]
        octets = fc.RadiusPacket(2, 3, attributes=pairs).encode(SECRET, REQUEST)
        mask = hashlib.md5(bytes(range(16)) + SECRET).digest()
        assert bytes(a ^ b for a, b in zip(mask, b"hush".ljust(16, b"\0"), strict=True)) in octets
        assert list(fc.RadiusPacket.decode(octets, SECRET, REQUEST).attributes)[1:] == pairs
        with pytest.raises(fc.EncodeError):
            ascend_secret(bytes(17), SECRET, bytes(16))
    finally:
        fc.configure()


def test_revealed_values_copy_and_pickle():
    for value in (fc.Revealed(b"key", 0x8001), fc.RevealedText("key", 0x8001)):
        for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert (other, other.salt, type(other)) == (value, 0x8001, type(value))


def test_dict_and_json_keep_hidden_values_hidden():
    octets = fc.RadiusPacket(2, 3, attributes=[*KEYS, ("IPv6-6rd-Configuration", [("IPv6-6rd-IPv4MaskLen", 8), ("Attr-173.9", b"x")])
                                               ]).encode(SECRET, REQUEST)
    packet = fc.RadiusPacket.decode(octets, SECRET, REQUEST)
    assert b"tunnel secret" not in packet.to_json()
    again = fc.RadiusPacket.from_json(packet.to_json())
    assert again == packet
    assert again.encode() == octets
    assert pickle.loads(pickle.dumps(packet)).encode() == octets


def test_numbers_are_shown_with_their_names():
    text = str(fc.RadiusPacket(43, 1, bytes(16), [("Service-Type", 17), ("Tunnel-Type:1", 3), ("Session-Timeout", 3), ("Class", b"x")]))
    assert "Service-Type = 17 (Authorize-Only)," in text
    assert "Tunnel-Type:1 = 3 (L2TP)," in text
    assert "Session-Timeout = 3,\n" in text


# ---- limits ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("most", [0, 1, 5, 255, 300])
def test_most_attributes(most):
    good = fc.RadiusPacket(1, 1, bytes(16), [("Class", b"x")] * most).encode()
    assert len(fc.RadiusPacket.decode(good, most_attributes=most).attributes) == most
    with pytest.raises(fc.DecodeError, match=f"more than {most} attributes") as refusal:
        fc.RadiusPacket.decode(fc.RadiusPacket(1, 1, bytes(16), [("Class", b"x")] * (most + 1)).encode(), most_attributes=most)
    assert refusal.value.status == Status.TOO_MANY_EXTENSIONS


@pytest.mark.parametrize("longest", [20, 38, 200, 4096, 4097, 65535])
def test_longest_packet(longest):
    body = longest - 20
    attributes = [("Class", b"x" * 251)] * (body // 253) + ([("Class", b"x" * (body % 253 - 2))] if body % 253 > 2 else [])
    octets = fc.RadiusPacket(1, 1, bytes(16), attributes).encode(longest=longest)
    assert len(octets) >= longest - 2
    assert fc.RadiusPacket.decode(octets, longest=longest, most_attributes=65535).encode(longest=longest) == octets
    if longest > 20:
        with pytest.raises(fc.DecodeError) as refusal:
            fc.RadiusPacket.decode(octets, longest=len(octets) - 1, most_attributes=65535)
        assert refusal.value.status == Status.BAD_LENGTH
        with pytest.raises(fc.EncodeError):
            fc.RadiusPacket(1, 1, bytes(16), attributes).encode(longest=len(octets) - 1)


def test_limits_that_cannot_be():
    for limits in ({"longest": 19}, {"longest": 65536}, {"most_attributes": -1}, {"most_attributes": 65536}):
        with pytest.raises(fc.EncodeError):
            fc.RadiusPacket.decode(bytes(20), **limits)
    with pytest.raises(fc.EncodeError):
        fc.RadiusPacket(1, 1).encode(longest=65536)
    with pytest.raises(fc.EncodeError, match="no room for a Message-Authenticator within 30 octets"):
        fc.RadiusPacket(1, 1, attributes=[("Class", b"x")]).encode(SECRET, longest=30)


def test_attributes_of_octets():
    assert list(fc.Attributes.from_octets(b"\x19\x03x")) == [("Class", b"x")]
    for octets in (b"\x19", b"\x19\x01", b"\x19\x04x", b"\x00\x03x", b"\x19\x03x\x19"):
        with pytest.raises(fc.DecodeError):
            fc.Attributes.from_octets(octets)
