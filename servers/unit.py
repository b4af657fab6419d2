"""The systemd units that come with the package, as `mipstorm serve ROLE --example-unit` prints them."""
import shutil
import sys
from pathlib import Path

UNITS = Path(__file__).parent / "systemd"
SHIPPED = "/usr/local/bin/mipstorm"        # as written in them


def example_unit(role: str) -> str:
    """The unit of a role, `aaah` or `fha`, that starts the command as it is installed here."""
    text = (UNITS / f"mipstorm-{role}.service").read_text()
    return text.replace(SHIPPED, installed() or SHIPPED)


def installed() -> str | None:
    beside = Path(sys.executable).parent / "mipstorm"
    return str(beside) if beside.exists() else shutil.which("mipstorm")
