"""Configuration files of servers for tests, with the changes that a test wants."""
from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers.tables import subscribers_csv
from servers.tables.subscribers_csv import Subscribers

SECRET = "a secret that both sides have"


@dataclass
class Place:
    """A folder with subscribers, a policy, a secret, and what configuration files name by default."""

    folder: Path
    subscribers: Subscribers
    pool: str = "198.18.0.0/16"

    @classmethod
    def with_nodes(cls, folder: Path, nodes: int, pool: str = "198.18.0.0/16") -> Place:
        place = cls(folder, subscribers_csv.generate(nodes), pool)
        subscribers_csv.write(place.subscribers, folder / "subscribers.csv")
        place.private("policy.toml", '[[fha]]\naddress = "127.0.0.1"\n')
        place.private("secret", SECRET + "\n")
        return place

    def private(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def aaah(self, listen: str = "127.0.0.1:0", secret: str = f'secret = "{SECRET}"', more: str = "") -> Path:
        return self.private("aaah.toml", f"""[aaah]
listen = "{listen}"
subscribers = "subscribers.csv"
policy = "policy.toml"
reject_delay_s = 0
{more}
[[aaah.client]]
network = "127.0.0.0/9"
{secret}
""")

    def fha(self, aaah: str = "127.0.0.1:1", listen: str = "127.0.0.1:0", secret: str = f'secret = "{SECRET}"',
            more: str = "", pool_more: str = "cool_down_s = 0", state: Any = "fha-state") -> Path:
        return self.private("fha.toml", f"""[fha]
listen = "{listen}"
state = "{state}"
{more}
[[fha.aaah]]
address = "{aaah}"
{secret}
[fha.pool]
network = "{self.pool}"
{pool_more}
""")

    def load(self, aaah: str, fha: str | None, *more: str) -> list[str]:
        """Arguments of `mipstorm load` against such servers."""
        return ["load", "--radius", aaah, *(["--mip4", fha] if fha else ["--steps", "access"]), "--secret-file", "secret",
                "--subscribers", "subscribers.csv", *more]


def free_port() -> int:
    """Free a moment ago on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
