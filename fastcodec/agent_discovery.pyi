from enum import IntEnum
from typing import Any

import numpy as np

from fastcodec.extension_codec import ExtensionCodec
from fastcodec.mip4 import EXTENSIONS as EXTENSIONS
from fastcodec.overlay import dtype_of as dtype_of

_Octets = bytes | bytearray | memoryview
LAYOUTS: dict[str, np.dtype[Any]]
ADVERTISED: dict[int, int]

class IcmpType(IntEnum):
    ROUTER_ADVERTISEMENT = 9
    ROUTER_SOLICITATION = 10

class AgentFlag(IntEnum):
    AGENT_R = 32768
    AGENT_B = 16384
    AGENT_H = 8192
    AGENT_F = 4096
    AGENT_M = 2048
    AGENT_G = 1024
    AGENT_r = 512
    AGENT_T = 256
    AGENT_U = 128
    AGENT_X = 64
    AGENT_I = 32

class AdvertisedType(IntEnum):
    ADVERTISED_AGENT = 16
    ADVERTISED_PREFIX_LENGTHS = 19
    ADVERTISED_CHALLENGE = 24
    ADVERTISED_EXPERIMENT_MUST = 127
    ADVERTISED_LINK_LAYER_ADDRESS = 140
    ADVERTISED_EXPERIMENT = 255

def register(codec: ExtensionCodec, advertisement: Any, router: Any, solicitation: Any) -> None: ...
def decode(data: _Octets) -> Any: ...
def decode_advertisement(data: _Octets) -> Any: ...
def decode_solicitation(data: _Octets) -> Any: ...
def encode_advertisement(message: Any) -> bytes: ...
def encode_solicitation(message: Any) -> bytes: ...
