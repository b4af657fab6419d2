"""How long the six packets of our bootstraps are, seen on the loopback, so that the null chain sends the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

ETHERTYPE_IP, UDP = 0x0800, 17
ACCESS_REQUEST, ACCESS_ACCEPT = 1, 2
STEPS = ("access request", "access accept", "RRQ", "request", "accept", "RRP")


@dataclass
class Listener:
    """Notes the UDP payload of every datagram between these ports and anyone, in order."""

    radius: int
    mip4: int
    sizes: list[int] = field(default_factory=list)

    def take(self, packet: bytes) -> None:
        """An IPv4 packet without its link header."""
        if len(packet) < 28 or packet[9] != UDP:
            return
        udp = packet[4 * (packet[0] & 15):]
        ports = {int.from_bytes(udp[0:2]), int.from_bytes(udp[2:4])}
        payload = udp[8: int.from_bytes(udp[4:6])]
        exchange = self.radius in ports and payload[:1] in {bytes([ACCESS_REQUEST]), bytes([ACCESS_ACCEPT])}
        if exchange or self.mip4 in ports:
            self.sizes.append(len(payload))

    def listen(self, raw: socket.socket, stop: threading.Event) -> None:
        while True:
            try:
                packet, address = raw.recvfrom(65535)
            except TimeoutError:
                if stop.is_set():                         # and nothing waits any more
                    return
                continue
            if address[2] != socket.PACKET_OUTGOING:      # the loopback may show a packet on its way out and in
                self.take(packet)


def sizes_of_one(radius: int, mip4: int, bootstrap: Callable[[], object]) -> list[int] | None:
    """Octets of the packets of one bootstrap, in the order of STEPS; None where this user may not listen."""
    listener = Listener(radius, mip4)
    stop = threading.Event()
    try:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE_IP))
    except PermissionError:
        return None
    with raw:
        raw.bind(("lo", ETHERTYPE_IP))
        raw.settimeout(0.1)
        thread = threading.Thread(target=listener.listen, args=(raw, stop))
        thread.start()
        try:
            bootstrap()
        finally:
            stop.set()
            thread.join()
    return listener.sizes if len(listener.sizes) == len(STEPS) else None
