from typing import Self, TypedDict, type_check_only

from typing_extensions import disjoint_base

@type_check_only
class Traffic(TypedDict):
    datagrams_in: int
    octets_in: int
    batches: int
    receives: int
    truncated: int
    datagrams_out: int
    octets_out: int
    messages_out: int
    sends: int
    unsegmented: int
    stalls: int
    unsent: int
    errors: dict[str, int]

@disjoint_base
class Workspace: ...

@disjoint_base
class Socket:
    def __new__(
        cls,
        fd: int,
        index: int,
        address: str,
        *,
        gso: bool = False,
        gro: bool = False,
        pktinfo: bool = False,
        receive_buffer: int = 0,
    ) -> Self: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
    @property
    def address(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def gso(self) -> bool: ...
    @property
    def gro(self) -> bool: ...
    @property
    def pktinfo(self) -> bool: ...
    @property
    def receive_buffer(self) -> int: ...
    @property
    def drops(self) -> int: ...
    @property
    def traffic(self) -> Traffic: ...
