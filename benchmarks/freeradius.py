"""FreeRADIUS with nothing but what the comparison needs: one thread, CHAP and PAP, users from a file.

Its answer has the attributes of ours, Message-Authenticator included, and it keeps replies for retransmissions, as ours
does (`cleanup_delay` as packaged). `reject_delay` and logs of requests are off.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .peers import SECRET, SERVER_CORE, Folder, Program, on_core
from .rounds import Unavailable

CONFIGURATION = """\
prefix = /usr
localstatedir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = {libraries}
max_request_time = 5
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
proxy_requests = no
log {{
	destination = stderr
	auth = no
}}
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = no
}}
client loopback {{
	ipaddr = 127.0.0.0/9
	secret = {secret}
	require_message_authenticator = yes
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
server bench {{
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


def libraries() -> Path:
    for path in [Path("/usr/lib/freeradius"), *Path("/usr/lib").glob("*/freeradius"), Path("/usr/lib64/freeradius")]:
        if (path / "rlm_chap.so").exists():
            return path
    raise Unavailable("FreeRADIUS has no rlm_chap here: apt-get install freeradius")


def start(folder: Folder, port: int) -> Program:
    """`freeradius -s -f`: one process, one thread, in the foreground, on the servers' core."""
    binary = shutil.which("freeradius", path="/usr/sbin:/usr/bin") or shutil.which("radiusd")
    if not binary:
        raise Unavailable("FreeRADIUS is not installed: apt-get install freeradius")
    own = folder.path / "freeradius"
    own.mkdir(mode=0o700)
    (own / "radiusd.conf").write_text(CONFIGURATION.format(folder=own, libraries=libraries(), secret=SECRET, port=port))
    (own / "users").write_text("".join(USER.format(nai=nai, word=word) for nai, word in folder.users()))
    return Program(on_core(SERVER_CORE, [binary, "-s", "-f", "-d", str(own)]))
