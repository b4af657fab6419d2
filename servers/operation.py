"""What an operator looks at a running server through: its control socket and its metrics, as configured."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from servers import metrics
from servers.bounded import BoundedServer
from servers.config_operation import Operation
from servers.control import Control
from servers.log import Log


class Faces:
    """Listens from its making on, so that a mistake is told before the server starts; answers from `start` on."""

    def __init__(self, operation: Operation, figures: Callable[[], dict[str, Any]]) -> None:
        self.servers: list[BoundedServer] = []
        self.said: list[str] = []
        try:
            if operation.metrics:
                scraped = metrics.Metrics(metrics.listen(operation.metrics), figures)
                self.servers.append(scraped)
                self.said.append(f"metrics at http://{scraped.address}/metrics")
            if operation.control:
                self.servers.append(Control(operation.control, figures))
                self.said.append(f"control socket {operation.control}")
        except BaseException:
            self.close()
            raise

    async def start(self, log: Log) -> None:
        for server in self.servers:
            await server.start()
        for text in self.said:
            log("listens", text)

    def close(self) -> None:
        for server in self.servers:
            server.close()
