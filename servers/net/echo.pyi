from typing_extensions import disjoint_base

from servers.net.node import Node

@disjoint_base
class Echo(Node):
    @property
    def answered(self) -> int: ...
    @property
    def oversize(self) -> int: ...
