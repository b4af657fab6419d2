"""The AAAH made from its files: subscribers, policy, state; and made anew from the first two while it runs."""
from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from servers import accounting
from servers.config import Aaah, FhaChoice, load_policy
from servers.errors import ConfigurationError
from servers.net.mmsg import Socket
from servers.net.udp import BUFFER, open_socket
from servers.roles.aaah import AaahRole
from servers.store.store import Compaction, Store
from servers.tables import subscribers_file
from servers.tables.replies import ReplyCache
from servers.tables.subscribers import SubscriberTable

REQUESTERS = {"nas": 1, "fha": 2}
ACCOUNTING = 2                         # type of journal records; all others are the role's
PIECE = 200                            # journal records that are looked at before the loop looks at packets again


class Home:
    """An AAAH role with its sockets and its store. ConfigurationError, StoreError and OSError say what is wrong."""

    def __init__(self, config: Aaah, receive_buffer: int | None = None) -> None:
        self.config, self.seen = config, signature(config.subscribers)
        table = self.table()
        self.policy = load_policy(config.policy)
        self.store = Store(None if config.volatile else config.state, "aaah")
        try:
            rows = self.store.load()
            self.role = self.make_role(table)
            self.use_policy(table.classes)
            self.restore(rows)
            self.sockets = sockets_of(config, receive_buffer or BUFFER)
        except BaseException:
            self.store.close()
            raise
        self.table_in_use = table
        self.exported, self.exported_at = 0, time.monotonic()

    def make_role(self, table: SubscriberTable) -> AaahRole:
        config = self.config
        role = AaahRole(table, ReplyCache(), care_of_network=config.care_of_network.network_address.packed,
                        care_of_size=config.care_of_network.num_addresses,
                        ipv6_home_prefix=config.ipv6_home_prefix.network_address.packed, home_agent=config.home_agent.packed,
                        session_timeout_s=config.session_timeout_s, registration_lifetime_s=config.registration_lifetime_s,
                        key_lifetime_s=config.key_lifetime_s, identification_window_s=config.identification_window_s,
                        journal=self.store.journal, reject_delay_ms=round(config.reject_delay_s * 1000),
                        timestamps="timestamps" in config.replay_protection, nonces="nonces" in config.replay_protection)
        for client in config.client:
            assert client.secret is not None                         # settled by load_aaah
            role.add_client(client.network.network_address.packed, client.network.prefixlen, client.secret.octets,
                            roles=sum(1 << REQUESTERS[r] for r in client.roles), denial_code=client.denial_code,
                            require_message_authenticator=client.require_message_authenticator,
                            chap_without_data=client.chap_without_data)
        return role

    def table(self) -> SubscriberTable:
        """The subscribers as the file has them now."""
        columns, network = subscribers_file.read(self.config.subscribers), self.config.care_of_network
        if network.num_addresses < len(columns) + 2:
            raise ConfigurationError(f"aaah.care_of_network: {network} has no room for {len(columns)} subscribers")
        try:
            return SubscriberTable.from_columns(columns)
        except ValueError as error:
            raise ConfigurationError(f"{self.config.subscribers}: {error}") from None

    def use_policy(self, classes: Sequence[str]) -> None:
        self.role.clear_fhas()
        for choice in self.policy.fha:
            add_choice(self.role, choice, classes)

    def restore(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """What was acknowledged before; accounting records go into a file of their own, and out of the journal."""
        now, wall = time.monotonic_ns(), time.time_ns()
        for kind, payload in rows:
            if kind != ACCOUNTING and not self.role.restore(kind, payload, now, wall):
                raise ConfigurationError(f"{self.config.state}: holds records that are not those of an AAAH")
        if self.store.directory is not None:
            records = (payload for kind, payload in rows if kind == ACCOUNTING)
            accounting.export(records, self.store.directory, self.store.base)
            self.store.compact(self.role.records(now, wall))

    def is_due(self) -> bool:
        """Whether accounting records have been in the journal for their time."""
        return (self.role.accounted > self.exported
                and time.monotonic() - self.exported_at >= self.config.accounting_period_s)

    async def leave(self, compaction: Compaction) -> Path | None:
        """The accounting records into a file of their own, bit by bit beside the traffic; that file, if there are any."""
        assert self.store.directory is not None
        self.exported, self.exported_at = self.role.accounted, time.monotonic()
        made, rows = accounting.Export(self.store.directory, self.store.base), compaction.replaced()
        try:
            while piece := list(islice(rows, PIECE)):
                made.add(payload for kind, payload in piece if kind == ACCOUNTING)
                await asyncio.sleep(0)
            return await asyncio.to_thread(made.finish)
        except BaseException:
            made.abandon()
            self.exported = 0                                        # none of them; tried again after the period
            raise

    def reread(self) -> Callable[[], str]:
        """SIGHUP. Reads both files beside the traffic; the result puts them into use between two batches, and says so.
        ConfigurationError: one of them is wrong, and nothing changes."""
        seen = signature(self.config.subscribers)
        table = self.table_in_use if seen == self.seen else self.table()
        policy = load_policy(self.config.policy)

        def use() -> str:
            if table is not self.table_in_use:
                self.role.use_subscribers(table)
            self.table_in_use, self.policy, self.seen = table, policy, seen
            self.use_policy(table.classes)
            return f"{self.config.subscribers}: {len(table)} subscribers; {self.config.policy}: {len(policy.fha)} FHAs"

        return use


def signature(path: Path) -> tuple[int, int, int]:
    """Changes when the file does; zeros when there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_mtime_ns, status.st_size


def add_choice(role: AaahRole, choice: FhaChoice, classes: Sequence[str]) -> None:
    """Compiles one FHA of the policy: its classes become a bit mask."""
    mask = sum(1 << k for k, name in enumerate(classes) if not choice.classes or name in choice.classes)
    role.add_fha(choice.address.packed, choice.weight if choice.healthy else 0, mask,
                 "\n".join(choice.nas_identifiers).encode(), (choice.pool or "").encode())


def sockets_of(config: Aaah, receive_buffer: int) -> list[Socket]:
    """Access on socket 0; accounting, if any, on socket 1."""
    sockets: list[Socket] = []
    try:
        for index, listen in enumerate(filter(None, (config.listen, config.accounting_listen))):
            sockets.append(open_socket(str(listen.address), listen.port, index=index, gro=True, gso=config.gso,
                                       pktinfo=listen.address.is_unspecified, receive_buffer=receive_buffer))
    except OSError:
        for made in sockets:
            made.close()
        raise
    return sockets
