"""The digest that says which load was run: who came when, and under which name."""
import hashlib
from collections.abc import Sequence

from loadgen.pacer import Pacer

HASHED = 100_000  # arrivals that enter the digest; fewer when there are fewer nodes


def schedule_sha256(pacer: Pacer, nais: Sequence[bytes]) -> str:
    """Digest of node order, arrival times and NAIs, in hex; `nais[i]` is the name of node i.

    It depends on the seed, the rate, and the fleet only: not on workers, nor on how fast the run went.
    """
    count = min(len(nais), HASHED)
    order = pacer.nodes(0, count)
    digest = hashlib.sha256(b"mipstorm.schedule/1")
    digest.update(count.to_bytes(4, "little"))
    digest.update(order.astype("<u4").tobytes())
    digest.update(pacer.times_ns(0, count).astype("<u8").tobytes())
    for node in order.tolist():
        digest.update(len(nais[node]).to_bytes(2, "little") + nais[node])
    return digest.hexdigest()
