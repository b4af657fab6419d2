"""Agent discovery in a capture: ICMP, nothing to match or to authenticate. RFC 5944 2."""
from __future__ import annotations

from fastcodec import AgentAdvertisement, AgentSolicitation, DecodeError
from fastcodec.headers import Location
from loadgen.decode.event import Event
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.findings import sorted_out
from loadgen.decode.keys import Keys

ADVERTISEMENT, SOLICITATION = 9, 10      # ICMP types, RFC 1256 3


def read_agents(event: Event, octets: bytes, keys: Keys, exchanges: Exchanges, at: Location | None = None) -> None:
    """Fills in the event; `octets` is the whole ICMP message."""
    event.protocol = "icmp"
    kind = AgentAdvertisement if octets[:1] == bytes((ADVERTISEMENT,)) else AgentSolicitation
    try:
        event.message = kind.decode(octets)
    except DecodeError as error:
        event.faults.append(str(error))
        return
    wrong, odd = sorted_out(octets)
    event.faults += wrong
    event.remarks += odd
