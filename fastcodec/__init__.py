"""Compiled codec for Mobile IPv4 registration (RFC 5944) and RADIUS (RFC 2865): single messages and whole batches.

    >>> from fastcodec import RegistrationRequest
    >>> request = RegistrationRequest.decode(octets, keys={0x200: key})
    >>> request.home_agent, request.nai()

`RegistrationRequest`, `RegistrationReply` and `RadiusPacket` are single messages; `RegistrationBatch` and
`RadiusBatch` hold n datagrams as columns. Errors are a tree, drawn in `fastcodec.errors`.
"""
from fastcodec.attributes import Attributes, configure
from fastcodec.base import Message, Part
from fastcodec.dictionary import Dictionary, load
from fastcodec.errors import (
    AuthenticationError,
    DecodeError,
    DictionaryError,
    EncodeError,
    FastcodecError,
    LocalError,
    RemoteError,
)
from fastcodec.hiding import chap_response, hide_password, reveal_password, salt_decrypt, salt_encrypt
from fastcodec.mip4 import BootstrapType, Flag, MessageType, ReplyCode
from fastcodec.mip4_extensions import (
    BootstrapAddress,
    Extension,
    GeneralizedAuthentication,
    MnHaAuthentication,
    Nai,
    NonceReply,
    NonceRequest,
    Padding,
    UnknownExtension,
    VendorExtension,
)
from fastcodec.mip4_messages import Mip4Message, RegistrationReply, RegistrationRequest
from fastcodec.packet import verify_request, verify_response
from fastcodec.radius import Code, Slot
from fastcodec.radius_batch import RadiusBatch
from fastcodec.radius_packet import RadiusPacket
from fastcodec.registration import derive_key, verify_mn_aaa, verify_mn_ha
from fastcodec.registration_batch import RegistrationBatch
from fastcodec.secret import Secret, SecretArray
from fastcodec.status import Status

__all__ = [
    "Attributes",
    "AuthenticationError",
    "BootstrapAddress",
    "BootstrapType",
    "Code",
    "DecodeError",
    "Dictionary",
    "DictionaryError",
    "EncodeError",
    "Extension",
    "FastcodecError",
    "Flag",
    "GeneralizedAuthentication",
    "LocalError",
    "Message",
    "MessageType",
    "Mip4Message",
    "MnHaAuthentication",
    "Nai",
    "NonceReply",
    "NonceRequest",
    "Padding",
    "Part",
    "RadiusBatch",
    "RadiusPacket",
    "RegistrationBatch",
    "RegistrationReply",
    "RegistrationRequest",
    "RemoteError",
    "ReplyCode",
    "Secret",
    "SecretArray",
    "Slot",
    "Status",
    "UnknownExtension",
    "VendorExtension",
    "chap_response",
    "configure",
    "derive_key",
    "hide_password",
    "load",
    "reveal_password",
    "salt_decrypt",
    "salt_encrypt",
    "verify_mn_aaa",
    "verify_mn_ha",
    "verify_request",
    "verify_response",
]
