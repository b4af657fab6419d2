"""A message in a few words: its kind, and the fields that people look for first."""
from __future__ import annotations

import re
from functools import singledispatch
from typing import Any

from fastcodec import (
    AgentAdvertisement,
    BindingAcknowledgement,
    BindingError,
    BindingUpdate,
    CareOfTest,
    CareOfTestInit,
    EapMd5Challenge,
    EapPacket,
    GenericNotification,
    HomeTest,
    HomeTestInit,
    MobilityAgent,
    NotificationAcknowledgment,
    PanaMessage,
    RadiusPacket,
    RegistrationReply,
    RegistrationRequest,
    RegistrationRevocation,
    ResultCodeAvp,
    RevocationAcknowledgment,
    TunnelData,
)
from fastcodec.agent_discovery import AgentFlag
from fastcodec.attribute_rows import label_of
from fastcodec.base import flags_of, name_of
from fastcodec.eap import EapCode, EapUnknown
from fastcodec.mip4 import Flag, NotificationDirection, ReplyCode
from fastcodec.mip4_codes import NotificationCode
from fastcodec.mip6 import BindingErrorStatus, BindingStatus, UpdateFlag
from fastcodec.pana import PanaFlag, PanaResult, PanaType
from fastcodec.radius import Code

FLAGS, UPDATE_FLAGS, AGENT_FLAGS, PANA_FLAGS = map(flags_of, (Flag, UpdateFlag, AgentFlag, PanaFlag))
REPLY, STATUS, ERROR, CODE, EAP, PANA, RESULT, DIRECTION, NOTIFIED = map(
    name_of, (ReplyCode, BindingStatus, BindingErrorStatus, Code, EapCode, PanaType, PanaResult, NotificationDirection, NotificationCode))

TELLING = {3: ("Error-Cause", "Reply-Message"), 4: ("Acct-Status-Type",), 42: ("Error-Cause",), 45: ("Error-Cause",), 52: ("Error-Cause",)}
SHORT = {"Coa": "CoA", "Ack": "ACK", "Nak": "NAK"}       # as RFC 5176 writes them


@singledispatch
def summary(message: Any) -> str:
    """The name of its class, in words: what has no better summary."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(message).__name__)


def words(name: str, between: str = " ") -> str:
    """FAILED_AUTHENTICATION -> failed authentication; a number without name says nothing."""
    return "" if name.isdecimal() else name.lower().replace("_", between)


# ---- Mobile IPv4 -----------------------------------------------------------------------------------------------------

@summary.register
def _(message: RegistrationRequest) -> str:
    kind = "Registration Request" if message.lifetime else "Registration Request (deregistration)"
    return f"{kind} lifetime {message.lifetime} home {message.home_address} care-of {message.care_of_address} " \
           f"flags {FLAGS(message.flags)}"


@summary.register
def _(message: RegistrationReply) -> str:
    return f"Registration Reply {message.code} {words(REPLY(message.code))} lifetime {message.lifetime} " \
           f"home {message.home_address}"


@summary.register
def _(message: RegistrationRevocation) -> str:
    return f"Registration Revocation home {message.home_address} home agent {message.home_domain_address} " \
           f"foreign agent {message.foreign_domain_address} id {message.revocation_identifier}"


@summary.register
def _(message: RevocationAcknowledgment) -> str:
    return f"Revocation Acknowledgment home {message.home_address} id {message.revocation_identifier}"


@summary.register
def _(message: GenericNotification) -> str:
    return f"Generic Notification {words(DIRECTION(message.direction))} home {message.home_address}"


@summary.register
def _(message: NotificationAcknowledgment) -> str:
    code = words(NOTIFIED(message.code).removeprefix("NOTIFICATION_"))
    return f"Notification Acknowledgment {message.code} {code} {words(DIRECTION(message.direction))} home {message.home_address}"


@summary.register
def _(message: TunnelData) -> str:
    return f"Tunnel Data of protocol {message.next_header}"


@summary.register
def _(message: AgentAdvertisement) -> str:
    agent = message.find(MobilityAgent)
    if agent is None:
        return f"Router Advertisement lifetime {message.lifetime}"
    return f"Agent Advertisement sequence {agent.sequence} registrations {agent.lifetime} s flags {AGENT_FLAGS(agent.flags)} " \
           f"care-of {', '.join(map(str, agent.care_of_addresses)) or 'none'}"


# ---- RADIUS and access -----------------------------------------------------------------------------------------------

@summary.register
def _(message: RadiusPacket) -> str:
    kind = re.sub("Coa|Ack|Nak", lambda short: SHORT[short[0]], words(CODE(message.code), "-").title())
    return f"{kind or f'code {message.code}'} id {message.identifier}{telling(message)}"


def telling(message: RadiusPacket) -> str:
    """What people look for in packets of this code: the kind of accounting, why something was refused."""
    values = ((name, message.find(name)) for name in TELLING.get(message.code, ()))
    return "".join(f" {label_of(name, value) or repr(value)}" for name, value in values if value is not None)


@summary.register
def _(message: EapPacket) -> str:
    kind = words(EAP(message.code).removeprefix("EAP_")).title()
    if message.body is None:
        return f"{kind} id {message.identifier}"
    body = message.body
    name = f"type {body.type}" if isinstance(body, EapUnknown) else type(body).__name__.removeprefix("Eap")
    return f"{kind} {'MD5-Challenge' if isinstance(body, EapMd5Challenge) else name} id {message.identifier}"


@summary.register
def _(message: PanaMessage) -> str:
    kind = words(PANA(message.type).removeprefix("PANA_")).title() or f"type {message.type}"
    way = "Request" if message.flags & PanaFlag.PANA_REQUEST else "Answer"
    result = message.find(ResultCodeAvp)
    return f"{kind} {way} session {message.session:#x} sequence {message.sequence} flags {PANA_FLAGS(message.flags)}" \
           + (f" result {result.value} {words(RESULT(result.value))}" if result else "")


# ---- Mobile IPv6 -----------------------------------------------------------------------------------------------------

@summary.register
def _(message: BindingUpdate) -> str:
    kind = "Binding Update" if message.lifetime else "Binding Update (deregistration)"
    return f"{kind} sequence {message.sequence} lifetime {4 * message.lifetime} s flags {UPDATE_FLAGS(message.flags)}"


@summary.register
def _(message: BindingAcknowledgement) -> str:
    return f"Binding Acknowledgement {message.status} {words(STATUS(message.status))} sequence {message.sequence} " \
           f"lifetime {4 * message.lifetime} s"


@summary.register
def _(message: BindingError) -> str:
    return f"Binding Error {message.status} {words(ERROR(message.status))} home {message.home_address}"


@summary.register(HomeTestInit)
@summary.register(CareOfTestInit)
@summary.register(HomeTest)
@summary.register(CareOfTest)
def _(message: Any) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(message).__name__).replace("Care Of", "Care-of")
    return f"{name} cookie {message.cookie:#x}"
