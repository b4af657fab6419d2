from typing import Self

from typing_extensions import disjoint_base

from servers.net.node import Node

@disjoint_base
class LateEcho(Node):
    def __new__(cls, delay_ns: int, places: int = 1024) -> Self: ...
    delay_ns: int
    @property
    def answered(self) -> int: ...
    @property
    def refused_waiting(self) -> int: ...
