"""What a user of the library alone writes: every protocol, typed. mypy --strict passes it, and it runs."""
from ipaddress import IPv4Address, IPv6Address

import numpy as np

import fastcodec as fc

HOME, AGENT, CARE_OF = IPv4Address("192.0.2.25"), IPv4Address("203.0.113.10"), IPv4Address("198.51.100.1")
KEYS: dict[int, bytes] = {0x101: bytes(16)}


def mobile_ipv4() -> str:
    request = fc.RegistrationRequest(fc.Flag.FLAG_T, 1800, HOME, AGENT, CARE_OF, 1, [fc.Nai("mn@home"), fc.MnHaAuthentication(0x101)])
    message = fc.Mip4Message.decode(request.encode(keys=KEYS), keys=KEYS)
    edited: fc.Mip4Message = message.replace(lifetime=60).sign(KEYS)
    edited.verify(KEYS)
    found: fc.MnHaAuthentication | None = edited.find(fc.MnHaAuthentication)
    findings: list[fc.Finding] = fc.lint(edited)
    name: str | None = edited.nai()
    assert found is not None
    return f"{name} {found.authenticator.hex()} {len(findings)}"


def radius(secret: bytes) -> IPv4Address:
    request = fc.RadiusPacket(fc.Code.ACCESS_REQUEST, 1, attributes=[("User-Name", "mn"), ("User-Password", "open")]).sign(secret)
    accept = fc.RadiusPacket(fc.Code.ACCESS_ACCEPT, 1, attributes=[("Framed-IP-Address", HOME)])
    answer = fc.RadiusPacket.decode(accept.encode(secret, request=request), secret=secret, request=request)
    answer.verify(secret, request)
    address: IPv4Address = answer.find("Framed-IP-Address")
    return address


def mobile_ipv6(home: IPv6Address, agent: IPv6Address, care_of: IPv6Address) -> fc.MobilityMessage:
    update = fc.BindingUpdate(1, options=[fc.AuthenticationOption(1, 0x400)]).sign(
        bytes(16), source=home, destination=agent, care_of_address=care_of)
    packet = fc.MobilityPacket(care_of, agent, update, home_address=home)
    return fc.MobilityPacket.decode(packet.encode(), keys={0x400: bytes(16)}).message


def access() -> tuple[str | None, int]:
    packet = fc.EapPacket.decode(fc.EapPacket(fc.EapCode.EAP_RESPONSE, 1, fc.EapIdentity("mn")).encode())
    message = fc.PanaMessage(0, fc.PanaType.PANA_AUTH, 7, 1, [fc.EapPayloadAvp(packet.encode()), fc.KeyIdAvp(1)]).sign({1: bytes(20)})
    return message.nai(), fc.PanaMessage.decode(message.encode(), keys={1: bytes(20)}).session


def discovery() -> int:
    advertisement = fc.AgentAdvertisement(0, 60, [fc.RouterAddress(AGENT)], [fc.MobilityAgent(1, 1800, fc.AgentFlag.AGENT_F, (CARE_OF,))])
    agent = fc.AgentMessage.decode(advertisement.encode()).find(fc.MobilityAgent)
    return agent.lifetime if agent else 0


def tunnels() -> bool:
    inner = fc.ipv6_packet("2001:db8::1", "2001:db8::2", fc.Protocol.NO_NEXT_HEADER, b"")
    unwrapped: fc.Unwrapped = fc.unwrap(fc.wrap(fc.TunnelKind.TUNNEL_IPV6, inner, HOME, AGENT))
    location: fc.Location = fc.look(unwrapped.inner)
    return location.version == 6


def batches(n: int) -> int:
    datagrams = [fc.RegistrationReply(0, k, HOME, AGENT, k, [fc.MnHaAuthentication(0x101)]).encode(KEYS) for k in range(n)]
    batch = fc.RegistrationBatch.from_datagrams(datagrams)
    status = batch.verify(fc.KeyTable(KEYS), authenticator="mn_ha")
    entries = batch.index().entries
    assert len(entries) == n
    return int(np.count_nonzero(status == fc.Status.OK))


def errors() -> tuple[str, int | None, str]:
    try:
        fc.Mip4Message.decode(b"\x01")
    except fc.DecodeError as error:
        return error.field, error.offset, error.section
    return "", None, ""


def twins(message: fc.Message) -> bool:
    twin: fc.Message = fc.Message.from_json(message.to_json())
    return twin == message == type(message).from_dict(message.to_dict())


def main() -> list[object]:
    """All of it."""
    update = mobile_ipv6(IPv6Address("2001:db8::25"), IPv6Address("2001:db8::1"), IPv6Address("2001:db8:f::1"))
    return [mobile_ipv4(), radius(b"secret"), update, access(), discovery(), tunnels(), batches(100), errors(), twins(update)]
