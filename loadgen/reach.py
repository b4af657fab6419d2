"""Whether anything listens where nobody answered: the kernel of the other side says so, if asked."""
import os
import socket

from servers.endpoint import Endpoint

WAIT_S = 0.3
STATUS_SERVER = 12  # RFC 5997; without Message-Authenticator it changes nothing anywhere


def is_refused(endpoint: Endpoint) -> bool:
    """True when a datagram comes back as "port unreachable" (RFC 792); False when that is not known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(WAIT_S)
        try:
            probe.connect((str(endpoint.address), endpoint.port))
            probe.send(bytes([STATUS_SERVER, 0, 0, 20]) + os.urandom(16))
            probe.recv(1)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
