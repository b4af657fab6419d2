from servers.net.node import Node

class Echo(Node):
    @property
    def answered(self) -> int: ...
    @property
    def oversize(self) -> int: ...
