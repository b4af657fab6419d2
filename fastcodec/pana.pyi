from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from fastcodec.fields import Plan
from fastcodec.pana_messages import PanaMessage
from fastcodec.secret import Secret

_Octets = bytes | bytearray | memoryview

LAYOUTS: dict[str, np.dtype[Any]]
AVPS: dict[int, Pair]
AVP_VENDOR_FLAG: int
MOST_AVPS: int

class Pair(NamedTuple):
    name: str
    layout: str
    minimum: int
    maximum: int
    single: bool

def register(message: type[Any], unknown: type[Any], vendor: type[Any], raw: type[Any], plans: dict[int, Plan]) -> None: ...
def prf_plus(key: Secret | _Octets, seed: _Octets, octets: int, prf: int = 2) -> bytes: ...
def pana_auth_key(msk: Secret | _Octets, initial_request: _Octets, initial_answer: _Octets, pac_nonce: _Octets, paa_nonce: _Octets,
                  key_id: int, prf: int = 2, integrity: int = 7) -> bytes: ...
def decode(data: _Octets, key: Secret | _Octets | None = None, strict: bool = True) -> PanaMessage: ...
def encode(message: PanaMessage, key: Secret | _Octets | None = None, integrity: int = 7) -> bytes: ...

class PanaType(IntEnum):
    PANA_CLIENT_INITIATION = 1
    PANA_AUTH = 2
    PANA_TERMINATION = 3
    PANA_NOTIFICATION = 4

class PanaFlag(IntEnum):
    PANA_REQUEST = 32768
    PANA_START = 16384
    PANA_COMPLETE = 8192
    PANA_REAUTHENTICATION = 4096
    PANA_PING = 2048
    PANA_IP_RECONFIGURATION = 1024
    PANA_PREAUTHENTICATION = 512

class AvpCode(IntEnum):
    AVP_AUTH = 1
    AVP_EAP_PAYLOAD = 2
    AVP_INTEGRITY_ALGORITHM = 3
    AVP_KEY_ID = 4
    AVP_NONCE = 5
    AVP_PRF_ALGORITHM = 6
    AVP_RESULT_CODE = 7
    AVP_SESSION_LIFETIME = 8
    AVP_TERMINATION_CAUSE = 9

class HandOffAvp(IntEnum):
    HAND_OFF_FHA_ADDRESS = 2
    HAND_OFF_FHA_NAME = 3
    HAND_OFF_CARE_OF_ADDRESS = 4
    HAND_OFF_FA_ADDRESS = 5
    HAND_OFF_ADDRESS_TYPE = 6
    HAND_OFF_PREFIX_LENGTH = 100
    HAND_OFF_ROUTER = 101

class PanaResult(IntEnum):
    PANA_SUCCESS = 0
    PANA_AUTHENTICATION_REJECTED = 1
    PANA_AUTHORIZATION_REJECTED = 2

class TerminationCause(IntEnum):
    CAUSE_LOGOUT = 1
    CAUSE_ADMINISTRATIVE = 4
    CAUSE_SESSION_TIMEOUT = 8

class PrfAlgorithm(IntEnum):
    PRF_HMAC_SHA1 = 2
    PRF_HMAC_SHA2_256 = 5

class IntegrityAlgorithm(IntEnum):
    AUTH_HMAC_SHA1_160 = 7
    AUTH_HMAC_SHA2_256_128 = 12
