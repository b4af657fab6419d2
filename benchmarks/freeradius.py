"""FreeRADIUS with nothing but what a comparison or a test needs: one thread, CHAP and PAP, users from a file.

For the comparison, its answer has the attributes of ours, Message-Authenticator included, and it keeps replies for retransmissions, as ours
does (`cleanup_delay` as packaged). `reject_delay` and logs of requests are off.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .peers import SECRET, SERVER_CORE, Folder, Program, on_core
from .rounds import Unavailable

MOST_REQUESTS = 65536

CONFIGURATION = """\
prefix = /usr
localstatedir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = {libraries}
max_request_time = 5
cleanup_delay = 5
max_requests = {most}
hostname_lookups = no
proxy_requests = no
log {{
	destination = stderr
}}
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = {status_server}
}}
client loopback {{
	ipaddr = 127.0.0.0/9
	secret = "{secret}"
	require_message_authenticator = {signed}
}}
modules {{
	files {{
		filename = {folder}/users
	}}
	chap {{
	}}
	pap {{
	}}
}}
server peer {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		chap
		files
		pap
	}}
	authenticate {{
		Auth-Type CHAP {{
			chap
		}}
		Auth-Type PAP {{
			pap
		}}
	}}
}}
"""

USER = """\
{nai}	Cleartext-Password := "{word}"
	Message-Authenticator = 0x00,
	Attr-26.32473.2 = 0x7f000001,
	Attr-26.32473.6 = 0x00000001,
	Session-Timeout = 3600,
	Framed-IP-Address = 127.64.0.1,
	Class = 0x30313233343536373839616263646566

"""


def program() -> str:
    """Its path; Unavailable says what to install."""
    found = shutil.which("freeradius", path="/usr/sbin:/usr/bin") or shutil.which("radiusd")
    if not found:
        raise Unavailable("FreeRADIUS is not installed: apt-get install freeradius")
    return found


def libraries() -> Path:
    """Of its modules; Unavailable says what to install."""
    for path in [Path("/usr/lib/freeradius"), *Path("/usr/lib").glob("*/freeradius"), Path("/usr/lib64/freeradius")]:
        if (path / "rlm_chap.so").exists():
            return path
    raise Unavailable("FreeRADIUS has no rlm_chap here: apt-get install freeradius")


def configure(own: Path, port: int, secret: str, users: str, *, status_server: bool, signed: bool) -> None:
    """Makes the folder `own`, for `freeradius -s -f -d own`. `signed`: whether requests need a Message-Authenticator."""
    own.mkdir(mode=0o700)
    (own / "radiusd.conf").write_text(CONFIGURATION.format(
        folder=own, libraries=libraries(), secret=secret, port=port, most=MOST_REQUESTS,
        status_server="yes" if status_server else "no", signed="yes" if signed else "no"))
    (own / "users").write_text(users)


def start(folder: Folder, port: int) -> Program:
    """`freeradius -s -f`: one process, one thread, in the foreground, on the servers' core."""
    own, binary = folder.path / "freeradius", program()
    users = "".join(USER.format(nai=nai, word=word) for nai, word in folder.users())
    configure(own, port, SECRET, users, status_server=False, signed=True)
    return Program(on_core(SERVER_CORE, [binary, "-s", "-f", "-d", str(own)]))
