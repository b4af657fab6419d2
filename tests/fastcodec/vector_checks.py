"""Every fact of a vector, checked by walkers and digests of the standard library alone, and by the codec."""
import hashlib
import hmac
import json
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import fastcodec as fc
from fastcodec.registration import pieces_of

FOLDER = Path(__file__).parents[1] / "vectors"
FILES = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in ("mobileip", "mobileip6", "access", "radius")}
BY_ID = {v["id"]: v for name in ("mobileip", "mobileip6", "access", "radius") for v in FILES[name]["vectors"]}
LONG = {36, 38, 40, 41, 42, 43, 48}                          # extension types with two length octets, RFC 5944 1.10
SHORT = {44, 45, 136, 144, 145, 152}                         # with a subtype behind the length, RFC 5944 1.11
FLAGS = {"mip4": dict(zip("SBDMGrTx", (1 << k for k in range(7, -1, -1)), strict=True)),
         "pana": dict(zip("RSCAPIE", (1 << k for k in range(15, 8, -1)), strict=True)),
         "mip6": dict(zip("AHLKMRPF", (1 << k for k in range(15, 7, -1)), strict=True))}


def octets(text):
    return bytes.fromhex(text)


def number(data, at, size=2):
    return int.from_bytes(data[at:at + size], "big")


def flags(letters, kind):
    return sum(FLAGS[kind][letter] for letter in letters)


def checksum(data):
    total = sum(number(data + b"\0" * (len(data) % 2), k) for k in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


# ---- what is around a message -----------------------------------------------------------------------------------------

def check_packet(vector, message):
    """IPv4 and UDP, or the protocol itself: addresses, ports, lengths, checksums, and the message in it."""
    packet = octets(vector["packet_hex"])
    where = fc.look(packet)
    assert where.checksum_right
    assert packet.endswith(message)
    if packet[0] >> 4 == 4:
        assert (number(packet, 2), checksum(packet[:20])) == (len(packet), 0)
    if packet[0] >> 4 == 4 and packet[9] == 17:
        assert number(packet, 24) == len(packet) - 20
        assert checksum(packet[12:20] + bytes((0, 17)) + packet[24:26] + packet[20:]) == 0
    if "dst" in vector:
        assert (where.source, where.destination) == (ip_address(vector["src"]), ip_address(vector["dst"]))
        assert (where.source_port, where.destination_port) == (vector["sport"], vector["dport"])
        assert bytes(where.payload) == message


# ---- Mobile IPv4 ------------------------------------------------------------------------------------------------------

def walked(data, at):
    """Type, subtype, length field and octets of each extension, without the codec."""
    while at < len(data):
        if data[at] == 0:
            yield at, 0, None, None, data[at:at + 1]
            at += 1
            continue
        long = data[at] in LONG or data[at] == 139
        size = 4 + number(data, at + 2) if long else 2 + data[at + 1]
        subtype = data[at + 1] if long and data[at] != 38 else data[at + 2] if data[at] in SHORT else None
        yield at, data[at], subtype, size - (4 if long else 2), data[at:at + size]
        at += size


def check_mip4(vector):
    data, fields = octets(vector["message_hex"]), vector["fields"]
    message, fixed = fc.Mip4Message.decode(data), pieces_of(data)[0] if data[0] != 4 else len(data)
    rows = [(e["offset"], e["type"], e["subtype"], e["length_field"], octets(e["hex"])) for e in vector["extensions"]]
    assert rows == list(walked(data, fixed))
    if data[0] != 4:
        found = [(p[2], p[0], data[p[2]:p[4]]) for p in pieces_of(data)[1]]
        assert found == [(at, kind, whole) for at, kind, _, _, whole in rows if kind]
    assert all(e["name"] for e in vector["extensions"])
    for name, value in fields.items():
        check_mip4_field(message, data, name, value, fields)
    for row in vector["auth"]:
        check_mip4_auth(data, row, vector)
    check_packet(vector, data)


def check_mip4_field(message, data, name, value, fields):
    if name == "type":
        assert data[0] == value
    elif name == "flags_set":
        assert flags(value, "mip4") == fields["flags"]
    elif name in ("A", "I"):
        assert int(message.flags & {"A": 0x8000, "I": 0x8000 if data[0] == 15 else 0x4000}[name] != 0) == value
    elif name == "inner":
        assert value.startswith(f"IPv{message.packet[0] >> 4}")
    elif name == "identification":
        assert f"{message.identification:016x}" == value
    else:
        found = getattr(message, name)
        assert (str(found) if isinstance(found, IPv4Address) else found) == value


def check_mip4_auth(data, row, vector):
    first, end = row["covered"]
    at, tag, key = row["authenticator_offset"], octets(row["authenticator_hex"]), octets(row["key_hex"])
    covered = data[first:end]
    named = FILES["mobileip"]["keys"][row["key"]]
    assert (octets(named), first, at, data[at:at + len(tag)]) == (key, 0, end, tag)
    assert (data[row["ext_offset"]], number(data, end - 4, 4)) == (row["type"], row["spi"])
    assert row.get("subtype", 0) == (data[row["ext_offset"] + 1] if row["type"] == 36 else 0)
    if row["alg"] == "rfc4721-chap":
        check_chap(vector, key, covered, tag)
    else:
        assert tag == {"hmac-md5": hmac.digest(key, covered, "md5"), "hmac-sha1": hmac.digest(key, covered, "sha1"),
                       "keyed-md5-prefix-suffix": hashlib.md5(key + covered + key).digest()}[row["alg"]]


def check_chap(vector, key, covered, tag):
    """RFC 4721 8, and the RADIUS attributes that let any server check it (RFC 2865 5.3, 5.40)."""
    chap = vector["radius_chap"]
    challenge, inner = octets(chap["challenge_hex"]), hashlib.md5(covered).digest()
    assert (chap["chap_ident"], octets(chap["inner_md5_hex"])) == (challenge[0], inner)
    assert tag == hashlib.md5(challenge[:1] + key + inner + challenge[-237:]).digest()
    password, asked = octets(chap["CHAP-Password_attr_hex"]), octets(chap["CHAP-Challenge_attr_hex"])
    assert password == bytes((3, 19, challenge[0])) + tag
    assert asked == bytes((60, 18 + len(challenge[-237:]))) + inner + challenge[-237:]
    assert chap["User-Name"] == fc.Mip4Message.decode(octets(vector["message_hex"])).nai()
    others = vector.get("alt_authenticators", {})
    for name, zeros in (("zero_length_challenge_with_ident_0", 0), ("four_zero_octets", 4)):
        if others:
            assert octets(others[name]) == hashlib.md5(b"\0" + key + inner + bytes(zeros)).digest()


def check_icmp(vector):
    data, fields = octets(vector["message_hex"]), vector["fields"]
    message = fc.AgentMessage.decode(data)
    assert (data[0], message.code, checksum(data)) == (fields["type"], fields["code"], 0)
    if data[0] == 9:
        agent = message.find(fc.MobilityAgent)
        assert (data[4], data[5], message.lifetime) == (fields["num_addrs"], fields["entry_size"], fields["lifetime"])
        assert [(str(r.address), r.preference) for r in message.routers] == [(fields["router"], fields["preference"])]
        assert (agent.sequence, agent.lifetime, f"{agent.flags:04x}") == (fields["seq"], fields["reg_lifetime"], fields["flags16"])
        assert list(map(str, agent.care_of_addresses)) == fields["care_of"]
        assert list(message.find(fc.PrefixLengths).lengths) == fields["prefix_lengths"]
        assert message.find(fc.AdvertisedChallenge).challenge == octets(fields["challenge_hex"])
    assert message.encode() == data
    check_packet(vector, data)


# ---- Mobile IPv6 ------------------------------------------------------------------------------------------------------

def check_mip6(vector):
    data, fields = octets(vector["mh_hex"]), vector["fields"]
    message = fc.MobilityMessage.decode(data)
    assert (data[2], data[4:6]) == (fields["mh_type"], octets(vector["checksum_hex"]))
    expected = {"sequence": "sequence", "lifetime_units": "lifetime", "status": "status"}
    assert {name: getattr(message, attribute) for name, attribute in expected.items() if name in fields} == {
        name: fields[name] for name in expected if name in fields}
    assert fields.get("lifetime_s", 0) == 4 * fields.get("lifetime_units", 0)
    if "flags" in fields and data[2] == 5:
        assert message.flags == flags(fields["flags"], "mip6")
    if "home_address" in fields:
        assert message.home_address == IPv6Address(fields["home_address"])
    for row in vector["options"]:
        at, whole = row["offset"], octets(row["hex"])
        assert (data[at], data[at + 1], data[at:at + len(whole)], len(whole)) == (
            row["type"], row["length_field"], whole, row["length_field"] + 2)
        assert row["name"]
        assert row.get("subtype", whole[2]) == whole[2]
    for row in vector["auth"]:
        check_mip6_auth(data, row)
    whole = octets(vector["ipv6_hex"])
    assert whole.endswith(data)
    packet = fc.MobilityPacket.decode(whole)
    assert packet.message == message
    assert packet.encode() == whole
    check_packet(vector, whole)


def check_mip6_auth(data, row):
    """RFC 4285 5.1, 5.2: over the care-of address, the home address, and the header with checksum zero up to the SPI."""
    end = row["opt_offset"] + 7
    covered = (IPv6Address(row["care_of_address"]).packed + IPv6Address(row["home_address"]).packed
               + data[:4] + bytes(2) + data[6:end])
    key, tag = octets(row["key_hex"]), octets(row["authenticator_hex"])
    assert octets(row["mac_input_hex"]) == covered
    assert octets(FILES["mobileip6"]["keys"][row["key"]]) == key
    assert (data[end:end + len(tag)], data[end - 5], number(data, end - 4, 4)) == (tag, row["subtype"], row["spi"])
    whole = hmac.digest(key, hashlib.sha1(covered).digest(), "sha1") if row["subtype"] == 2 else hmac.digest(key, covered, "sha1")[:12]
    assert tag == whole
    assert row["alg"] == {1: "first96(hmac-sha1(key, coa|hoa|MH))", 2: "hmac-sha1(key, sha1(coa|hoa|MH))"}[row["subtype"]]


# ---- EAP and PANA -----------------------------------------------------------------------------------------------------

AVPS = {"FHA-IP-Address": "HAND_OFF_FHA_ADDRESS", "FHA-FQDN": "HAND_OFF_FHA_NAME", "Care-of-Address": "HAND_OFF_CARE_OF_ADDRESS",
        "FA-IP-Address": "HAND_OFF_FA_ADDRESS", "CoA-Type": "HAND_OFF_ADDRESS_TYPE", "CCoA-Prefix-Length": "HAND_OFF_PREFIX_LENGTH",
        "CCoA-Router": "HAND_OFF_ROUTER"}
GPSK1 = fc.Gpsk1(b"aaah.home.example", bytes(range(0x10, 0x30)), (2, 1))
EAP = {name: (packet, behind) for name, packet, behind in (      # what nothing else in the file tells; octets behind Length
    ("e-01", fc.EapPacket(1, 0x21, fc.EapIdentity("")), b""), ("e-02", fc.EapPacket(2, 0x21, fc.EapIdentity("mn0001@home.example")), b""),
    ("e-03", fc.EapPacket(1, 0x22, fc.EapNotification("maintenance at 02:00")), b""),
    ("e-04", fc.EapPacket(2, 0x22, fc.EapNotification("")), b""),
    ("e-05", fc.EapPacket(1, 0x22, fc.EapMd5Challenge(bytes(range(0xb0, 0xc0)), "aaah.home.example")), b""),
    ("e-07", fc.EapPacket(2, 0x22, fc.EapNak((51,))), b""), ("e-08", fc.EapPacket(2, 0x22, fc.EapNak((0,))), b""),
    ("e-09", fc.EapPacket(3, 0x22), b""), ("e-10", fc.EapPacket(4, 0x22), b""),
    ("e-11", fc.EapPacket(2, 0x22, fc.EapExpanded(0, 3, bytes.fromhex("fe00000000000033"))), b""),
    ("e-12", fc.EapPacket(3, 0x22), bytes(4)), ("g2-01", fc.EapPacket(1, 0x23, GPSK1), b""),
    ("g1-01", fc.EapPacket(1, 0x23, GPSK1), b""), ("g2-05", fc.EapPacket(1, 0x24, fc.GpskFail(2)), b""),
    ("g2-06", fc.EapPacket(2, 0x24, fc.GpskFail(2)), b""))}


def check_eap(vector):
    data, fields = octets(vector["message_hex"]), vector.get("fields", {})
    packet = fc.EapPacket.decode(data)
    assert (packet.code, packet.identifier) == (data[0], data[1])
    if "op" in fields:
        assert packet.body.OPERATION == fields["op"] == data[5]
        assert vector["title"].startswith(f"EAP-GPSK ciphersuite {fields['csuite']}, ")
        check_gpsk(vector, packet, fields["csuite"])
    elif isinstance(packet.body, fc.GpskProtectedFail):
        check_gpsk(vector, packet, 2)
    if "key" in fields:
        challenge = next(m.body.value for m in (fc.EapPacket.decode(octets(v["message_hex"])) for v in FILES["access"]["vectors"]
                                                if v["kind"] == "eap") if isinstance(m.body, fc.EapMd5Challenge) and m.code == 1)
        assert packet.body.value == hashlib.md5(data[1:2] + octets(FILES["access"]["keys"][fields["key"]]) + challenge).digest()
    if vector["id"] in EAP:
        told, behind = EAP[vector["id"]]
        assert (packet, data) == (told, told.encode() + behind)
    assert packet.encode() == data[:number(data, 2)]


def check_gpsk(vector, packet, suite):
    """Keys of RFC 5433 4, 7, and the code that they make."""
    told = FILES["access"]["derivations"][f"gpsk_suite{suite}"]
    keys = fc.derive_gpsk_keys(octets(told["psk"]), told["id_peer"].encode(), told["id_server"].encode(), octets(told["rand_peer"]),
                               octets(told["rand_server"]), suite=suite)
    for name, digits in vector.get("keys", {}).items():
        found = keys.session_id[1:] if name == "method_id" else getattr(keys, name)      # RFC 5433 4: behind the EAP type
        assert found == octets(digits), name
        assert name not in told or told[name] == digits
    if hasattr(packet.body, "code"):
        packet.verify(keys)


def check_pana(vector):
    data, fields = octets(vector["message_hex"]), vector["fields"]
    message = fc.PanaMessage.decode(data)
    assert (number(data, 2), number(data, 4), number(data, 6), number(data, 8, 4), number(data, 12, 4)) == tuple(
        fields[name] for name in ("length", "flags", "message_type", "session_id", "sequence"))
    assert (message.flags, message.type, message.session, message.sequence) == tuple(
        fields[name] for name in ("flags", "message_type", "session_id", "sequence"))
    assert flags(fields["flags_set"], "pana") == message.flags or "expect" in fields
    at = 16
    for row in vector["avps"]:
        whole, has_vendor = octets(row["hex"]), number(data, at + 2) >> 15
        length = number(data, at + 4)
        size = 8 + 4 * has_vendor + (length + 3) // 4 * 4
        assert (row["offset"], row["code"], row["length_field"], whole) == (at, number(data, at), length, data[at:at + size])
        assert row["vendor"] == (number(data, at + 8, 4) if has_vendor else 0)
        names = fc.HandOffAvp if has_vendor else fc.AvpCode
        assert AVPS.get(row["name"], "AVP_" + row["name"].upper().replace("-", "_")) == names(row["code"]).name
        at += size
    assert at == len(data)
    for row in vector.get("auth", []):
        start, tag, key = row["authenticator_offset"], octets(row["authenticator_hex"]), octets(row["key_hex"])
        zeroed = data[:start] + bytes(len(tag)) + data[start + len(tag):]
        digest = {"hmac-sha1-160": "sha1", "hmac-sha2-256-128": "sha256"}[row["alg"]]
        assert (row["avp"], data[start:start + len(tag)]) == (1, tag)
        assert tag == hmac.digest(key, zeroed, digest)[:len(tag)]
        assert FILES["access"]["derivations"][row["key"]]["key"] == row["key_hex"]
        message.verify(key)
    check_packet(vector, data)


# ---- RADIUS -----------------------------------------------------------------------------------------------------------

def check_radius(vector):
    data, fields = octets(vector["message_hex"]), vector["fields"]
    packet = fc.RadiusPacket.decode(data)
    assert (data[0], data[1], number(data, 2)) == (fields["code"], fields["identifier"], fields.get("length", len(data)))
    assert data[4:20] == octets(fields.get("authenticator", data[4:20].hex()))
    assert packet.encode() == data[:number(data, 2)]
    if "code_name" in fields:
        assert fields["code_name"].upper().replace("-", "_") in (fc.Code(data[0]).name, "STATUS_SERVER")
    at = 20
    for row in vector.get("attributes", []):
        whole = octets(row["hex"])
        assert (row["offset"], row["type"], row["length_field"], whole) == (at, data[at], data[at + 1], data[at:at + data[at + 1]])
        check_vendor(row, whole)
        at += data[at + 1]
    assert at == number(data, 2) or "attributes" not in vector
    if "secret" in vector:
        assert FILES["radius"]["secrets"][vector["secret"]] == vector["secret_hex"]
    for row in vector.get("auth", []):
        check_radius_auth(data[:number(data, 2)], row, vector)
    if "rfc_attribute_hex" in vector:
        assert octets(vector["rfc_attribute_hex"]) in data
    check_packet(vector, data)


def values(vector, vendor_type):
    """What the attributes of our vendor's that number hold, one behind the other."""
    return b"".join(octets(a["hex"])[8:] for a in vector["attributes"] if a.get("vendor_type") == vendor_type)


def check_vendor(row, whole):
    """Vendor-Specific (RFC 2865 5.26, WiMAX's continuation), tags and salts (RFC 2868 3), Long Extended Type (RFC 6929 2.2)."""
    wimax = row.get("vendor") == 24757
    if "vendor" in row:
        assert (row["type"], row["vendor"]) == (26, number(whole, 2, 4))
    if "vendor_length" in row:
        assert (row["vendor_type"], row["vendor_length"]) == (whole[6], whole[7])
    if "more" in row:
        assert row["more"] == bool(whole[8 if wimax else 3] & 0x80)
    if row.get("tag"):
        assert whole[2] == row["tag"]
    if "salt" in row:
        at = 8 if "vendor" in row else 3
        assert octets(row["salt"]) == whole[at + wimax:at + wimax + 2]
    if "inner" in row:
        assert [(whole[k], number(whole, k + 2, 4)) for k in (6, 12)] == [(i["type"], i["value"]) for i in row["inner"]]


def check_radius_auth(data, row, vector):
    secret = octets(vector["secret_hex"]) if "secret_hex" in vector else octets(FILES["access"]["keys"][row["key"]])
    if row.get("attr") == 80 or row.get("what") == "message-authenticator":
        at = row["offset"]
        field = octets(row.get("authenticator_field_hex") or vector["fields"]["request_authenticator"])
        tag = octets(row.get("value_hex") or row["authenticator_hex"])
        assert data[at:at + 16] == tag == hmac.digest(secret, data[:4] + field + data[20:at] + bytes(16) + data[at + 16:], "md5")
        assert data[at - 2:at] == b"\x50\x12"
        return
    before = octets(row["request_authenticator_hex"]) if row["what"] == "response-authenticator" else bytes(16)
    assert octets(row["value_hex"]) == data[4:20] == hashlib.md5(data[:4] + before + data[20:] + secret).digest()
    assert row["alg"].startswith("md5(code|id|len|")


CHECKS = {"mip4": check_mip4, "icmp": check_icmp, "mip6": check_mip6, "eap": check_eap, "pana": check_pana, "radius": check_radius}
