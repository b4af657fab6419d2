"""Complete configuration files with comments, as `mipstorm serve ROLE --example-config` prints them."""

AAAH = """\
# The home operator's AAA server (AAAH). Paths are relative to this file.
# This file holds secrets: chmod 600.

[aaah]
listen = "127.0.0.1:1812"                # IPv4 address and UDP port
accounting_listen = "127.0.0.1:1813"     # address and port for accounting; leave it out to take none
workers = 1                              # processes that share the port
gso = true                               # send runs of equal-sized datagrams as one buffer where the kernel can
subscribers = "subscribers.csv"          # nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location; or: an .lmdb file
policy = "policy.toml"                   # which FHA a subscriber gets; an example stands at the end of this file
                                         # (both files are read again on SIGHUP)
state = "aaah-state"                     # folder of the journal: who may ask for whose keys, and accounting records
accounting_period_s = 3600               # so often what was accounted goes from the journal into a text file of its own,
                                         # accounting.NUMBER in that folder; also at each start and after 256 MiB of
                                         # journal. A file under that name is complete and yours to move or remove: the
                                         # server never removes one, so watch the disk. After a crash amid all this
                                         # the last file may come again, with all of its lines and perhaps more
volatile = false                         # true: no journal, all of that is forgotten on exit
reject_delay_s = 1.0                     # how long a NAS waits for a refusal, 0 to 10 seconds: it slows guessing down
ipv6_home_prefix = "2001:db8:100::/64"   # IPv6 home addresses: this prefix + the place in the file, 1 for the first
home_agent = "2001:db8:100:0:ffff::1"    # the IPv6 home agent that is handed out
care_of_network = "127.64.0.0/10"        # co-located care-of addresses: this network + the subscriber's place
session_timeout_s = 7200                 # how long an access is authorised, seconds
registration_lifetime_s = 1800           # longest registration allowed, seconds
key_lifetime_s = 3600                    # how long a key between node and FHA is good, seconds
identification_window_s = 7              # how wrong a node's clock may be, seconds
replay_protection = ["timestamps", "nonces"]   # what an FHA may choose from for its nodes; the only one if it is one

# Who may ask. The longest network that contains the client's address counts; anyone else is ignored.
[[aaah.client]]
network = "127.0.0.0/9"
secret = "change-me-16-octets-at-least"  # shared with the client; or: secret_file = "FILE" (chmod 600)
roles = ["nas", "fha"]                   # what it may ask as
require_message_authenticator = "yes"    # "auto": only from its first signed request on, "no": never (CVE-2024-3596)
denial_code = true                       # tell an FHA which code to refuse a node with (a vendor attribute in a Reject)
chap_without_data = false                # serve CHAP_SPI without the covered octets: no check of what they say

# policy.toml:
#
# [[fha]]                                # in order of preference; equal claims are shared out by weight
# address = "127.0.0.1"                  # the FHA's IPv4 address
# weight = 1                             # its share of the nodes
# healthy = true                         # false: handed to no new node
# classes = ["standard"]                 # only for these subscription classes; none: for all
# nas_identifiers = ["nas*"]             # only for nodes on these NASs (* and ? match); none: on all
# pool = "default"                       # which of the FHA's pools their home addresses come from; none: its own choice
"""

FHA = """\
# The foreign home agent (FHA). Paths are relative to this file.
# This file holds secrets: chmod 600. On SIGHUP secrets, static keys, max_lifetime_s, the window, strict are read again.

[fha]
listen = "127.0.0.1:434"                 # IPv4 address and UDP port; 434 is Mobile IP's and needs privileges
address = "127.0.0.1"                    # the home agent address in registrations; default: that of listen
nas_identifier = "fha1.access.example"   # how it names itself to the AAAH
ipv6_prefix = "2001:db8:f:1::/64"        # IPv6 care-of addresses: this prefix + the IPv4 home address
max_lifetime_s = 1800                    # longest registration granted, seconds
identification_window_s = 7              # how wrong a node's clock may be, seconds, 3 to 255
replay_protection = "timestamps"         # by which later requests of a node are told from old ones; or "nonces", which
                                         # need no clock; the AAAH decides
strict = true                            # false: RFC 3344 instead of RFC 5944: one authenticator in a request, 131
                                         # instead of silence when it is missing, reserved bits ignored
state = "fha-state"                      # folder of the journal: leases and keys that must survive a restart
volatile = false                         # true: no journal, every lease is forgotten on exit
workers = 1                              # processes that share the port
gso = true                               # send runs of equal-sized datagrams as one buffer where the kernel can
dynamic_authorization = "127.0.0.1:3799" # address and port for Disconnect- and CoA-Requests of the servers asked (see
                                         # below), under their secrets; leave it out: none
assigned_addresses = 4096                # most leases of addresses in no pool: those that the AAAH assigns, 0 to 1048576

[fha.pool]
network = "198.18.0.0/16"                # IPv4 home addresses to lease; must not contain the FHA's own address
cool_down_s = 30                         # a freed address is leased again only after this many seconds
strategy = "bitmap"                      # how a free address is found
reserved = ["198.18.0.1"]                # addresses of the pool that are never leased (the first and last never are)

# Further pools, 7 at most, for those whose AAAH names one of them (Framed-Pool, by subscription class); [fha.pool] is
# called "default". Remove the # in front of these lines if you have such. What is leased from a pool that is changed or
# gone after a restart stays until it expires, and is not leased again.
#
# [[fha.pools]]
# name = "business"                      # a-z, 0-9 and _
# network = "198.19.0.0/16"
# cool_down_s = 30
# strategy = "bitmap"
# reserved = []

# The server to ask. With several such tables (8 at most) the first that answers is asked, in the order they stand here.
[[fha.aaah]]
address = "127.0.0.1:1812"
secret = "change-me-16-octets-at-least"  # shared with the AAAH; or: secret_file = "FILE" (chmod 600)
require_message_authenticator = "yes"    # in its answers; "auto": once it has sent one; "no": forgers may answer for it
status_server = true                     # it answers Status-Server, by which one in doubt is watched
ours = true                              # false: a plain RADIUS server that knows a node's MN-AAA key as a password: nodes
                                         # use CHAP_SPI, ask for no key, and have one of those below. It counts for
                                         # this server alone: such a one is not sent the octets that MN-AAA covers

# Keys of nodes whose AAAH derives none. Without `nai` it is one for every node, who can then all sign as each other.
# Remove the # in front of these lines if you have such nodes.
#
# [[fha.static_key]]
# nai = "node@home.example"
# spi = 4096                             # written by both sides, from 256
# key = "000102030405060708090a0b0c0d0e0f"   # hexadecimal, 16 to 32 octets
"""

OPERATION = """\

# How it is watched; these are the same for every server. Remove the # in front of a line that you want.
#
# [log]
# format = "text"                        # events on standard error, one a line: text or json
#
# [control]
# socket = "ROLE.control"                # a Unix socket (mode 0600) for: mipstorm stats ROLE.control
#
# [metrics]
# listen = "127.0.0.1:9464"              # counters for Prometheus; needs: pip install 'mipstorm[metrics]'
"""

POLICY = "".join(line.removeprefix("#").removeprefix(" ") + "\n"
                 for line in AAAH.split("# policy.toml:\n#\n")[1].splitlines())


def example(role: str) -> str:
    """The complete file of a role, `aaah` or `fha`."""
    own, mark, policy = {"aaah": AAAH, "fha": FHA}[role].partition("\n# policy.toml:")
    return own + OPERATION.replace("ROLE", role) + mark + policy
