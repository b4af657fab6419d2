from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from fastcodec.overlay import dtype_of as dtype_of

LAYOUTS: dict[str, np.dtype[Any]]
EXTENSIONS: dict[int, Extension]
SUBTYPE_MN_AAA: int
SUBTYPE_NONCE: int
CHAP_SPI: int
MOST_EXTENSIONS: int
REPLAY_TIMESTAMPS: int
REPLAY_NONCES: int
ALGORITHM_HMAC_MD5: int

class Extension(NamedTuple):
    name: str
    shape: int
    layout: str
    single: bool
    minimum: int
    maximum: int

class MessageType(IntEnum):
    REGISTRATION_REQUEST = 1
    REGISTRATION_REPLY = 3
    REGISTRATION_REVOCATION = 7
    REVOCATION_ACKNOWLEDGMENT = 15

class Flag(IntEnum):
    FLAG_S = 128
    FLAG_B = 64
    FLAG_D = 32
    FLAG_M = 16
    FLAG_G = 8
    FLAG_R_RESERVED = 4
    FLAG_T = 2
    FLAG_X_RESERVED = 1

class ReplyCode(IntEnum):
    ACCEPTED = 0
    ACCEPTED_NO_SIMULTANEOUS = 1
    REASON_UNSPECIFIED = 128
    ADMINISTRATIVELY_PROHIBITED = 129
    INSUFFICIENT_RESOURCES = 130
    FAILED_AUTHENTICATION = 131
    FA_FAILED_AUTHENTICATION = 132
    IDENTIFICATION_MISMATCH = 133
    POORLY_FORMED_REQUEST = 134
    TOO_MANY_BINDINGS = 135
    UNKNOWN_HOME_AGENT = 136
    REVERSE_TUNNEL_UNAVAILABLE = 137
    REVERSE_TUNNEL_MANDATORY = 138
    ENCAPSULATION_UNAVAILABLE = 139
    CVSE_NOT_UNDERSTOOD = 140
    BAD_AAA_AUTHENTICATION = 144

class ExtensionType(IntEnum):
    EXT_PADDING = 0
    EXT_MN_HA = 32
    EXT_FA_HA = 34
    EXT_GENERALIZED = 36
    EXT_CVSE = 38
    EXT_MN_HA_NONCE_REQUEST = 42
    EXT_MN_HA_NONCE_REPLY = 43
    EXT_NAI = 131
    EXT_CHALLENGE = 132
    EXT_NVSE = 134
    EXT_REVOCATION_SUPPORT = 137

class BootstrapType(IntEnum):
    BOOT_IPV6_HOME_ADDRESS = 1
    BOOT_IPV6_HOME_AGENT = 2
    BOOT_IPV6_CARE_OF_ADDRESS = 3
