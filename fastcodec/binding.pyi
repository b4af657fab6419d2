from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Any

from fastcodec.fields import Plan
from fastcodec.secret import Secret

_Octets = bytes | bytearray | memoryview
_Keys = Secret | _Octets | Mapping[int, Secret | _Octets]
_Address = IPv6Address | str | None

def register(unknown: type[Any], padding: type[Any], messages: list[Plan], options: list[Plan]) -> None: ...
def decode(plan: Plan | None, data: _Octets, keys: _Keys | None = None, source: _Address = None, destination: _Address = None,
           care_of_address: _Address = None) -> Any: ...
def encode(message: Any, plan: Plan, keys: _Keys | None = None, source: _Address = None, destination: _Address = None,
           care_of_address: _Address = None) -> bytes: ...
