"""Complete configuration files with comments, as `mipstorm serve ROLE --example-config` prints them."""

AAAH = """\
# The home operator's AAA server (AAAH). Paths are relative to this file.
# This file holds secrets: chmod 600.

[aaah]
listen = "127.0.0.1:1812"                # IPv4 address and UDP port
workers = 1                              # processes that share the port
gso = true                               # send runs of equal-sized datagrams as one buffer where the kernel can
subscribers = "subscribers.csv"          # nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location
policy = "policy.toml"                   # which FHA a subscriber gets; an example stands at the end of this file
ipv6_home_prefix = "2001:db8:100::/64"   # IPv6 home addresses: this prefix + the place in the file, 1 for the first
home_agent = "2001:db8:100:0:ffff::1"    # the IPv6 home agent that is handed out
care_of_network = "127.64.0.0/10"        # co-located care-of addresses: this network + the subscriber's place
session_timeout_s = 7200                 # how long an access is authorised, seconds
registration_lifetime_s = 1800           # longest registration allowed, seconds
key_lifetime_s = 3600                    # how long a key between node and FHA is good, seconds
identification_window_s = 7              # how wrong a node's clock may be, seconds

# Who may ask. The longest network that contains the client's address counts; anyone else is ignored.
[[aaah.client]]
network = "127.0.0.0/9"
secret = "change-me-16-octets-at-least"  # shared with the client; or: secret_file = "FILE" (chmod 600)
roles = ["nas", "fha"]                   # what it may ask as

# policy.toml:
#
# [[fha]]                                # in order of preference; equal claims are shared out by weight
# address = "127.0.0.1"                  # the FHA's IPv4 address
# weight = 1                             # its share of the nodes
# healthy = true                         # false: handed to no new node
# classes = ["standard"]                 # only for these subscription classes; none: for all
# nas_identifiers = ["nas*.example"]     # only for nodes on these NASs (* and ? match); none: on all
"""

FHA = """\
# The foreign home agent (FHA). Paths are relative to this file.
# This file holds secrets: chmod 600.

[fha]
listen = "127.0.0.1:434"                 # IPv4 address and UDP port; 434 is Mobile IP's and needs privileges
address = "127.0.0.1"                    # the home agent address in registrations; default: that of listen
nas_identifier = "fha1.access.example"   # how it names itself to the AAAH
ipv6_prefix = "2001:db8:f:1::/64"        # IPv6 care-of addresses: this prefix + the IPv4 home address
max_lifetime_s = 1800                    # longest registration granted, seconds
identification_window_s = 7              # how wrong a node's clock may be, seconds
state = "fha-state"                      # folder of the journal: leases and keys that must survive a restart
volatile = false                         # true: no journal, every lease is forgotten on exit
workers = 1                              # processes that share the port
gso = true                               # send runs of equal-sized datagrams as one buffer where the kernel can

[fha.pool]
network = "198.18.0.0/16"                # IPv4 home addresses to lease; must not contain the FHA's own address
cool_down_s = 30                         # a freed address is leased again only after this many seconds
strategy = "bitmap"                      # how a free address is found
reserved = ["198.18.0.1"]                # addresses of the pool that are never leased (the first and last never are)

# The server to ask. With several such tables (8 at most) the first that answers is asked, in the order they stand here.
[[fha.aaah]]
address = "127.0.0.1:1812"
secret = "change-me-16-octets-at-least"  # shared with the AAAH; or: secret_file = "FILE" (chmod 600)
require_message_authenticator = "yes"    # in its answers; "auto": once it has sent one; "no": forgers may answer for it
status_server = true                     # it answers Status-Server, by which one in doubt is watched
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
