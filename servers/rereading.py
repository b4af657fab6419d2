"""What a running FHA takes anew from its configuration file on SIGHUP, and what it cannot."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from servers.config import AaahOfFha, Fha, StaticKey, load_fha, load_operation
from servers.config_operation import Operation

TABLES = {"log": "log_format", "control": "control", "metrics": "metrics"}      # and their values in an Operation
LIMITS = ("max_lifetime_s", "identification_window_s", "strict", "replay_protection")


class Changeable(Protocol):
    """An FHA's role, as far as it can be changed while it runs."""

    def set_aaah(self, address: bytes, port: int, secret: bytes, *, message_authenticator: str, probes: bool,
                 ours: bool) -> None: ...
    def use_static_keys(self, keys: Iterable[tuple[int, bytes, bytes]]) -> None: ...
    def use_limits(self, *, max_lifetime_s: int, window_s: int, strict: bool, nonces: bool) -> None: ...


class Rereading:
    """Called, it reads the file; what that returns puts it into use, between two batches, and says in one line what that
    was. ConfigurationError: something in the file is wrong, and nothing changes."""

    def __init__(self, role: Changeable, config: Fha, file: Path) -> None:
        self.role, self.config, self.file = role, config, file
        self.operation = load_operation(file)

    def __call__(self) -> Callable[[], str]:
        config = load_fha(self.file)
        fixed = self.unchangeable(config, load_operation(self.file))

        def use() -> str:
            known = [server.address for server in self.config.aaah]
            servers = [server for server in config.aaah if server.address in known]
            use_servers(self.role, servers)
            use_static_keys(self.role, config.static_key)
            use_limits(self.role, config)
            said = f"{self.file}: secrets of {len(servers)} servers, {len(config.static_key)} static keys, limits"
            return f"{said}; needs a restart: {', '.join(fixed)}" if fixed else said

        return use

    def unchangeable(self, config: Fha, operation: Operation) -> list[str]:
        """What is not as the server was started with, and stays as it was."""
        kept = [f"fha.{name}" for name in Fha.__struct_fields__ if name not in (*LIMITS, "aaah", "static_key")
                and getattr(config, name) != getattr(self.config, name)]
        if [server.address for server in config.aaah] != [server.address for server in self.config.aaah]:
            kept.append("fha.aaah")
        return kept + [table for table, name in TABLES.items() if getattr(operation, name) != getattr(self.operation, name)]


def use_servers(role: Changeable, servers: Sequence[AaahOfFha]) -> None:
    """Further ones, or the new secrets of those known."""
    for server in servers:
        assert server.secret is not None                             # settled by load_fha
        role.set_aaah(server.address.address.packed, server.address.port, server.secret.octets,
                      message_authenticator=server.require_message_authenticator, probes=server.status_server,
                      ours=server.ours)


def use_static_keys(role: Changeable, keys: Sequence[StaticKey]) -> None:
    role.use_static_keys((known.spi, known.key.octets, (known.nai or "").encode()) for known in keys)


def use_limits(role: Changeable, config: Fha) -> None:
    role.use_limits(max_lifetime_s=config.max_lifetime_s, window_s=config.identification_window_s, strict=config.strict,
                    nonces=config.replay_protection == "nonces")
