"""What is called with something else altogether says in one line which argument is wrong, and what is needed."""
from __future__ import annotations

import io
import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
import pytest

import fastcodec as fc
from fastcodec.capture import read_capture

A = IPv4Address("192.0.2.1")
KEYS = {0x100: bytes(16)}
REQUEST = fc.RegistrationRequest(0, 60, A, A, A, 1, [fc.MnHaAuthentication(0x100)]).sign(KEYS)
UPDATE = fc.BindingUpdate(1, options=[fc.AuthenticationOption(1, 0x100)])
ADVERTISEMENT = fc.AgentAdvertisement(0, 900)
PACKET = fc.RadiusPacket(1, 7, attributes=[("NAS-Port", 1)]).sign(b"secret")
ANSWER = fc.RadiusPacket(2, 7)
INNER = fc.ipv6_packet("2001:db8::1", "2001:db8::2", fc.Protocol.NO_NEXT_HEADER, b"")
GPSK, PANA = fc.EapPacket(2, 1, fc.Gpsk4()), fc.PanaMessage(0, fc.PanaType.PANA_AUTH, 1, 1)
ENDS = {"source": "2001:db8::1", "destination": "2001:db8::2", "care_of_address": "2001:db8::3"}
BATCHES = {fc.RegistrationBatch: REQUEST, fc.MobilityBatch: UPDATE.sign(bytes(16), **ENDS), fc.AgentBatch: ADVERTISEMENT,
           fc.RadiusBatch: PACKET}
ROWS = {cls: cls.from_template(message, 3) for cls, message in BATCHES.items()}
MIP4, MIP6, RADIUS = ROWS[fc.RegistrationBatch], ROWS[fc.MobilityBatch], ROWS[fc.RadiusBatch]
SECRETS = fc.SecretArray([b"secret"])
READ_ONLY = np.frombuffer(bytes(60), np.uint8).reshape(3, 20)

NO_OCTETS = (None, "text", 5, 1.5, [1, 2], object())
NO_NUMBER = (None, "1", 1.5, -1, 1 << 70, [1], np.zeros(3))
NO_LIST = (None, b"octets", "text", 5, bytes)
NO_COLUMN = (5, "text", [1.5] * 3, [-1] * 3, [1 << 40] * 3, ["a"] * 3, [0], [[0], [0, 1]], np.zeros((3, 2), np.uint8), [None] * 3)
OCTETS = ": bytes, bytearray or memoryview is needed, not "
NUMBER = ": .* is no whole number from 0 to "
GRE = fc.TunnelKind.TUNNEL_GRE

#   what is called with one argument: the wrong ones, what is said of them
CALLS = {
    "find": (REQUEST.find, (None, "Nai", 5, fc.RegistrationRequest, int, fc.Nai("a"), (fc.Nai, fc.Padding)),
             "kind: a class of extensions, options or AVPs is needed, not "),
    "find_all": (UPDATE.find_all, (None, 8), "kind: a class of extensions, options or AVPs is needed, not "),
    "RADIUS find": (PACKET.find, (None, b"NAS-Port", 5, fc.Nai), "kind: str is needed, not "),
    "RADIUS find_all": (PACKET.find_all, (None, 5), "kind: str is needed, not "),
    "from_json": (fc.Mip4Message.from_json, (None, 5, []), "Mip4Message: no JSON object: "),
    "decode": (fc.Mip4Message.decode, NO_OCTETS, "data" + OCTETS),
    "MobilityMessage": (fc.MobilityMessage.decode, NO_OCTETS, "data" + OCTETS),
    "MobilityPacket": (fc.MobilityPacket.decode, NO_OCTETS, "data" + OCTETS),
    "RADIUS": (fc.RadiusPacket.decode, NO_OCTETS, "data" + OCTETS),
    "PANA": (fc.PanaMessage.decode, NO_OCTETS, "data" + OCTETS), "agents": (fc.AgentMessage.decode, NO_OCTETS, "data" + OCTETS),
    "read_capture": (read_capture, (None, "run.pcap", Path("run.pcap"), b""), "stream: a file opened for reading octets is needed, not "),
    "a capture as text": (read_capture, (io.StringIO("text"),), "stream.read\\(\\)" + OCTETS),
    "look": (fc.look, NO_OCTETS, "data" + OCTETS), "unwrap": (fc.unwrap, NO_OCTETS, "data" + OCTETS),
    "verify_mn_ha": (lambda data: fc.verify_mn_ha(data, KEYS), NO_OCTETS, "data" + OCTETS),
    "verify_authentication": (lambda kind: fc.verify_authentication(b"", kind, KEYS), (None, "mn_ha", fc.Nai, fc.PanaMessage, 32),
                              "kind: .* is no class of authentication extensions"),
    "derive_key, nonce": (lambda nonce: fc.derive_key(bytes(16), nonce, "mn"), NO_OCTETS, "nonce" + OCTETS),
    "derive_key, identity": (lambda identity: fc.derive_key(bytes(16), b"nonce", identity), (None, 5, A), "identity" + OCTETS),
    "aes_cmac, key": (lambda key: fc.aes_cmac(key, b"message"), NO_OCTETS, "key" + OCTETS),
    "aes_cmac": (lambda message: fc.aes_cmac(bytes(16), message), NO_OCTETS, "message" + OCTETS),

    "configure": (fc.configure, ("path", 5, {}, [], fc.Dictionary), "dictionary: Dictionary is needed, not "),
    "add_vendor": (fc.Dictionary().add_vendor, (None, "cisco", 9), "vendor: Vendor is needed, not "),
    "KeyTable": (fc.KeyTable, (None, "abc", 5, b"key", [(0x100, b"key")]), "keys: Mapping is needed, not "),
    "SecretArray": (fc.SecretArray, NO_LIST, "secrets: a list of secrets is needed, not "),
    "algorithm": (lambda name: fc.Secret(b"key", name), (5, ["hmac-md5"], {}), "Secret.algorithm: .* is none of hmac-md5, "),
    "Attributes": (fc.Attributes, (None, 5), "RadiusPacket.attributes: .* are no pairs of name and value"),
    "from_octets": (fc.Attributes.from_octets, NO_OCTETS, "octets" + OCTETS),

    "chap_response": (lambda number: fc.chap_response(number, "password", b"challenge"), (*NO_NUMBER, 256),
                      "identifier" + NUMBER + "255"),
    "chap_response, password": (lambda password: fc.chap_response(1, password, b""), (None, 5, [1]), "password" + OCTETS),
    "chap_response, challenge": (lambda challenge: fc.chap_response(1, "password", challenge), NO_OCTETS, "challenge" + OCTETS),
    "hide_password": (lambda password: fc.hide_password(password, b"secret", bytes(16)), ("\ud800",), "password: .* is no text"),
    "hide_password, authenticator": (lambda octets: fc.hide_password("a", b"secret", octets), NO_OCTETS, "authenticator" + OCTETS),
    "salt_encrypt": (lambda salt: fc.salt_encrypt(b"key", b"secret", bytes(16), salt), NO_NUMBER,
                     "salt: .* is not within 0x8000 to 0xffff"),

    "longest": (lambda longest: fc.RadiusPacket.decode(b"", longest=longest), (*NO_NUMBER, 19),
                "longest: .* is no whole number from 20 to 65535"),
    "most_attributes": (lambda most: fc.RadiusPacket.decode(b"", most_attributes=most), NO_NUMBER,
                        "most_attributes" + NUMBER + "65535"),
    "depth": (lambda depth: fc.RadiusPacket.decode(b"", depth=depth), NO_NUMBER, "depth" + NUMBER + "255"),
    "encode, longest": (lambda longest: PACKET.encode(longest=longest), NO_NUMBER, "longest: .* is no whole number from 20 to 65535"),
    "request": (lambda request: ANSWER.encode(b"secret", request), (5, "text", [1], REQUEST), "request" + OCTETS),
    "request that nobody encoded": (lambda request: ANSWER.encode(b"secret", request), (fc.RadiusPacket(1, 7),),
                                    r"request.authenticator: 0 octets, 16 needed: .* \(RFC 2865 3\)"),
    "sign": (lambda secret: PACKET.sign(secret), (None,), "secret: None would verify and sign nothing"),

    "source": (lambda source: fc.ipv6_packet(source, "::1", 59, b""), (None, "text", 1.5, A), "source: .* is no IPv6 address"),
    "next_header": (lambda kind: fc.ipv6_packet("::1", "::2", kind, b""), (*NO_NUMBER, 256), "next_header" + NUMBER + "255"),
    "hop_limit": (lambda hops: fc.ipv6_packet("::1", "::2", 59, b"", hops), NO_NUMBER, "hop_limit" + NUMBER + "255"),
    "payload": (lambda payload: fc.ipv6_packet("::1", "::2", 59, payload), NO_OCTETS, "payload" + OCTETS),
    "wrap": (lambda kind: fc.wrap(kind, INNER, A, A), (None, "gre", 1.5, 5, [4]), "kind: .* is no TunnelKind"),
    "inner": (lambda inner: fc.wrap(GRE, inner, A, A), NO_OCTETS, "inner" + OCTETS),
    "ttl": (lambda ttl: fc.wrap(GRE, INNER, A, A, ttl=ttl), (*NO_NUMBER, 300), "ttl" + NUMBER + "255"),
    "identification": (lambda number: fc.wrap(GRE, INNER, A, A, identification=number), (*NO_NUMBER, 1 << 16),
                       "identification" + NUMBER + "65535"),
    "tos": (lambda tos: fc.wrap(GRE, INNER, A, A, tos=tos), ("1", 1.5, 256), "tos" + NUMBER + "255"),
    "checksum": (lambda start: fc.checksum(b"", start), NO_NUMBER, "start" + NUMBER + "4294967295"),
    "sequence_is_fresh": (lambda number: fc.sequence_is_fresh(number, 1), (*NO_NUMBER, 1 << 16),
                          "received" + NUMBER + "65535"),

    "EAP": (fc.EapPacket.decode, NO_OCTETS, "data" + OCTETS),
    "body": (lambda body: fc.EapPacket(2, 1, body).encode(), ("text", 5, REQUEST), "EapPacket.body: .* is no EapBody"),
    "EAP-MD5": (lambda challenge: fc.eap_md5_response(1, b"secret", challenge), NO_OCTETS, "challenge" + OCTETS),
    "EAP-MD5 response": (lambda packet: fc.verify_eap_md5(packet, b"secret", b""), (None, b"octets"),
                         "response: EapPacket is needed, not "),
    "GPSK keys": (GPSK.verify, (None, b"key", KEYS), "keys: GpskKeys is needed, not "),
    "GPSK": (lambda packet: fc.sign_gpsk(packet, None), (None, b"octets"), "packet: EapPacket is needed, not "),
    "suite": (lambda suite: fc.derive_gpsk_keys(bytes(32), b"p", b"s", b"", b"", suite), (None, 3, [2], "2"), "suite: .* is neither 1 "),
    "peer": (lambda peer: fc.derive_gpsk_keys(bytes(32), peer, b"s", b"", b"", 2), NO_OCTETS, "peer" + OCTETS),
    "prf+": (lambda octets: fc.prf_plus(b"key", b"seed", octets), NO_NUMBER, "octets" + NUMBER),
    "prf": (lambda prf: fc.prf_plus(b"key", b"seed", 20, prf), (None, 3, [2], "2"), "prf: .* is no PrfAlgorithm"),
    "seed": (lambda seed: fc.prf_plus(b"key", seed, 20), NO_OCTETS, "seed" + OCTETS),
    "Key-Id": (lambda number: fc.pana_auth_key(bytes(64), b"", b"", b"", b"", number), (*NO_NUMBER, 1 << 32), "key_id" + NUMBER),
    "PAR": (lambda octets: fc.pana_auth_key(bytes(64), octets, b"", b"", b"", 1), NO_OCTETS, "initial_request" + OCTETS),
    "integrity": (lambda number: PANA.sign(bytes(20), integrity=number), (6, "7", [7], 1.5), "integrity: .* is no IntegrityAlgorithm"),
    "avps": (lambda parts: PANA.replace(avps=parts).encode(), (None, 5, object()), "avps: .* is no list"),
    "RawAvp": (lambda octets: PANA.replace(avps=[fc.RawAvp(octets)]).encode(), NO_OCTETS, "RawAvp.octets: .* are no octets"),
    "KeyIdAvp": (lambda number: PANA.replace(avps=[fc.KeyIdAvp(number)]).encode(KEYS), NO_NUMBER, "KeyIdAvp.value: .*"),
    "PANA keys": (PANA.sign, (None,), "keys: None would verify and sign nothing"),

    "extensions": (lambda parts: REQUEST.replace(extensions=parts).encode(), (None, 5, object()), "extensions: .* is no list"),
    "an extension": (lambda part: REQUEST.replace(extensions=[part]).encode(), (None, 5, fc.Nai, UPDATE), "extensions: .* is no extension"),
    "UnknownExtension": (lambda octets: REQUEST.replace(extensions=[fc.UnknownExtension(octets)]).encode(), NO_OCTETS,
                         "UnknownExtension.octets: .* are no octets"),
    "options": (lambda parts: UPDATE.replace(options=parts).encode(), (None, 5, object()), "options: .* is no list"),
    "UnknownOption": (lambda octets: UPDATE.replace(options=[fc.UnknownOption(octets)]).encode(), NO_OCTETS,
                      "UnknownOption.octets: .* are no octets"),
    "MobilityPadding": (lambda octets: UPDATE.replace(options=[fc.MobilityPadding(octets)]).encode(), NO_OCTETS,
                        "MobilityPadding.octets: .* are no octets"),
    "routers": (lambda routers: ADVERTISEMENT.replace(routers=routers).encode(), (None, 5), "AgentAdvertisement.routers: .* is no list"),
    "a router": (lambda router: ADVERTISEMENT.replace(routers=[router]).encode(), (None, A),
                 "AgentAdvertisement.routers: .* is no RouterAddress"),
    "message of a packet": (lambda message: fc.MobilityPacket(IPv6Address(1), IPv6Address(2), message).encode(), (None, "text", REQUEST),
                            "MobilityPacket.message: .* is no MobilityMessage"),

    "RegistrationBatch": (lambda message: fc.RegistrationBatch.from_template(message, 3), (None,
                          "text", PACKET, UPDATE, fc.RegistrationRequest),
                          "message: Mip4Message is needed, not "),
    "MobilityBatch": (lambda message: fc.MobilityBatch.from_template(message, 3), (None, b"", REQUEST),
                      "message: MobilityMessage is needed, not "),
    "AgentBatch": (lambda message: fc.AgentBatch.from_template(message, 3), (None, "text", fc.AgentSolicitation()),
                   "message: AgentAdvertisement is needed, not "),
    "RadiusBatch": (lambda message: fc.RadiusBatch.from_template(message, 3), (None, "text", REQUEST),
                    "message: RadiusPacket is needed, not "),
    "type": (lambda number: fc.RegistrationBatch(MIP4.octets, MIP4.lengths, number), (*NO_NUMBER, 256), "type" + NUMBER + "255"),
    "type of a list": (lambda number: fc.MobilityBatch.from_datagrams([], number), (8, 255), "type: .* is none of 0, 1, "),
    "column": (MIP4.offset, ("nothing", None), "column: .* is none of nai, mn_ha, "), "size": (MIP6.size, ("nai",),
               "column: 'nai' is none of "),
    "value": (MIP4.value, ("nothing",), "column: 'nothing' is none of "),
    "keys": (MIP4.verify, (None, 5, "text", [b"key"], KEYS.items()),
             "keys: KeyTable, SecretArray, a mapping from SPI to key or the octets of one is needed, not "),
    "keys, Mobile IPv6": (lambda keys: MIP6.sign(keys, "::1"), (None, "text"), "keys: KeyTable, SecretArray, a mapping "),
    "which, by SPI": (lambda which: MIP4.verify(KEYS, which), ([0, 0, 0],), "which: is for a SecretArray: in a KeyTable every row finds "),
    "which": (lambda which: MIP4.verify(SECRETS, which), NO_COLUMN, "which: one index for each of 3 rows is needed"),
    "secrets": (RADIUS.verify, (None, 5, "text", [b"secret"], KEYS), "secrets: SecretArray or the octets of one is needed, not "),
    "secrets to sign with": (RADIUS.sign, (None, KEYS), "secrets: SecretArray or the octets of one is needed, not "),
    "requests": (lambda requests: RADIUS.verify(SECRETS, None, requests), (*NO_COLUMN, np.full((3, 16), 300)),
                 "requests: an authenticator of 16 octets for each of 3 rows is needed"),
    "asked": (lambda asked: RADIUS.verify(SECRETS, None, np.zeros((3, 16), np.uint8), asked=asked), NO_COLUMN,
              "asked: a code for each of 3 rows is needed"),
    "slot": (RADIUS.value, (None, 1.5, -1, 64), "attribute" + NUMBER + "63"),
    "attribute": (RADIUS.value, ("NAS-Prt",), "NAS-Prt: no such attribute in the dictionary"),
}
FOR_ALL = {
    "datagrams": (lambda cls, given: cls.from_datagrams(given), NO_LIST, "datagrams: a list of octets is needed, not "),
    "a datagram": (lambda cls, given: cls.from_datagrams([given]), NO_OCTETS, "datagrams" + OCTETS),
    "n": (lambda cls, n: cls.from_template(BATCHES[cls], n), NO_NUMBER, "n" + NUMBER),
    "octets": (lambda cls, octets: like(cls, octets, [20] * 3),
               (None, "text", bytes(60), [[1]], np.zeros((3, 20)), np.zeros(60, np.uint8), READ_ONLY,
                                                                 np.zeros((3, 40), np.uint8)[:, ::2]),
               "octets: an array of rows x octets \\(uint8\\) that can be written to is needed"),
    "lengths": (lambda cls, lengths: like(cls, ROWS[cls].octets, lengths), (*NO_COLUMN, None, [1 << 20] * 3),
                "lengths: 3 of at most .* are needed"),
}


def like(cls, octets, lengths):
    return cls(octets, lengths, *([ROWS[cls].type] if hasattr(ROWS[cls], "type") else []))


def check(call, wrongs, words):
    for wrong in wrongs:
        text = refusal_of(call, wrong)
        assert re.match(words, text), f"{wrong!r}: {text}"


def refusal_of(call, wrong):
    with pytest.raises((TypeError, fc.LocalError)) as refusal:
        call(wrong)
    text = str(refusal.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


@pytest.mark.parametrize("name", CALLS)
def test_the_argument_is_named(name):
    check(*CALLS[name])


@pytest.mark.parametrize("name", FOR_ALL)
@pytest.mark.parametrize("cls", BATCHES, ids=lambda cls: cls.__name__)
def test_batches_name_the_argument(cls, name):
    call, wrongs, words = FOR_ALL[name]
    check(lambda given: call(cls, given), wrongs, words)


def test_long_values_are_cut_and_stand_in_a_line():
    for value in ("x" * 10**6, np.zeros((30, 30)), "a\nb"):
        assert refusal_of(lambda given: REQUEST.replace(lifetime=given).encode(KEYS), value).startswith("RegistrationRequest.lifetime: ")


# ---- an answer that its client would drop

@pytest.mark.parametrize(("code", "identifier", "text"), [
    (2, 8, "RadiusPacket.identifier: identifier 8 answers no request of identifier 7 (RFC 2865 3)"),
    (5, 7, "RadiusPacket.code: code 5 answers no request of code 1 (RFC 2865 4)"),
    (1, 7, "RadiusPacket.code: code 1 answers no request of code 1 (RFC 2865 4)")])
@pytest.mark.parametrize("request_", [PACKET, PACKET.encode()], ids=["packet", "octets"])
def test_answers_that_answer_another_request(request_, code, identifier, text):
    for use in (fc.RadiusPacket(code, identifier).encode, fc.RadiusPacket(code, identifier).sign):
        with pytest.raises(fc.EncodeError) as refusal:
            use(b"secret", request_)
        assert str(refusal.value) == text
    bare = fc.RadiusPacket(code, identifier).encode(b"secret", request=PACKET.authenticator)     # that tells no identifier
    assert bare[:2] == bytes((code, identifier))


# ---- what is right

def test_one_key_or_a_mapping_will_do():
    status = []
    for keys in (KEYS, bytes(16), fc.Secret(bytes(16)), fc.KeyTable(KEYS), fc.SecretArray([bytes(16)])):
        batch = fc.RegistrationBatch.from_template(REQUEST.replace(lifetime=5), 3)
        assert batch.verify(keys).tolist() == [fc.Status.BAD_AUTHENTICATOR] * 3
        batch.walk()
        assert not batch.sign(keys).any()
        status += batch.verify(keys).tolist()
        mobility = fc.MobilityBatch.from_template(UPDATE, 2)
        status += [*mobility.sign(keys, "::1", "::3"), *mobility.verify(keys, "::1", "::3")]
    for secret in (b"secret", fc.Secret(b"secret"), SECRETS):
        batch = fc.RadiusBatch.from_template(PACKET, 3)
        status += [*batch.sign(secret), *batch.verify(secret)]
    assert not any(status)


def test_values_by_the_name_of_an_attribute():
    batch = fc.RadiusBatch.from_template(PACKET, 3)
    batch.value("NAS-Port")[1] = (0, 0, 1, 0)
    assert batch.column("NAS-Port")[0].tolist() == [1, 256, 1]
    assert (batch.value(fc.Slot.MESSAGE_AUTHENTICATOR) == batch.value("Message-Authenticator")).all()
    with pytest.raises(fc.EncodeError, match="User-Name: does not stand alike"):
        batch.value("User-Name")
