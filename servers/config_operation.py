"""Configuration that every server has: its log, its control socket, its metrics."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from servers.config_reading import Table
from servers.endpoint import Endpoint


class LogTable(Table, kw_only=True):
    """[log]: how events are written to standard error, one a line."""

    format: Literal["text", "json"] = "text"


class ControlTable(Table, kw_only=True):
    """[control]: the Unix socket that `mipstorm stats` asks."""

    socket: Path


class MetricsTable(Table, kw_only=True):
    """[metrics]: where Prometheus fetches the counters."""

    listen: Endpoint


@dataclass(frozen=True)
class Operation:
    """All three of a file; no control socket and no metrics unless they are there."""

    log_format: Literal["text", "json"] = "text"
    control: Path | None = None
    metrics: Endpoint | None = None
