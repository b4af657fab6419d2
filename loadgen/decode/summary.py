"""A message in a few words: its kind, and the fields that people look for first."""
from __future__ import annotations

import re
from functools import singledispatch
from typing import Any

from fastcodec import BindingAcknowledgement, BindingUpdate, RadiusPacket, RegistrationReply, RegistrationRequest
from fastcodec.base import flags_of, name_of
from fastcodec.mip4 import Flag, ReplyCode
from fastcodec.mip6 import BindingStatus
from fastcodec.radius import Code

FLAGS, REPLY, STATUS, CODE = flags_of(Flag), name_of(ReplyCode), name_of(BindingStatus), name_of(Code)


@singledispatch
def summary(message: Any) -> str:
    """The name of its class, in words: what has no better summary."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(message).__name__)


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
def _(message: RadiusPacket) -> str:
    return f"{words(CODE(message.code), '-').title()} id {message.identifier}"


@summary.register
def _(message: BindingUpdate) -> str:
    return f"Binding Update sequence {message.sequence} lifetime {4 * message.lifetime} s"


@summary.register
def _(message: BindingAcknowledgement) -> str:
    return f"Binding Acknowledgement {message.status} {words(STATUS(message.status))} sequence {message.sequence} " \
           f"lifetime {4 * message.lifetime} s"


def words(name: str, between: str = " ") -> str:
    """FAILED_AUTHENTICATION -> failed authentication; a number without name says nothing."""
    return "" if name.isdecimal() else name.lower().replace("_", between)
