"""What a process tells of itself is its own."""

import os
import subprocess
import sys

PEAK = "from servers.figures import peak_resident_octets; print(peak_resident_octets())"


def test_peak_memory_is_not_that_of_the_process_that_started_it() -> None:
    ballast = bytearray(os.urandom(1)) * (200 << 20)
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True,
                          preexec_fn=os.getpid)  # as the supervisor starts servers: by fork, not by vfork
    assert 1 << 20 < int(done.stdout) < len(ballast) // 2
