# What codes, kinds and flags in Mobile IPv4 notifications and extensions mean; reply codes and types are in mip4.pxd.

cpdef enum NotificationCode:
    """Codes of a Generic Notification Acknowledgement, RFC 6098 4.2; FA_ and MN_: from a foreign agent, a mobile node."""
    NOTIFICATION_ACCEPTED = 0
    NOTIFICATION_FA_REASON_UNSPECIFIED = 64
    NOTIFICATION_FA_ADMINISTRATIVELY_PROHIBITED = 65
    NOTIFICATION_FA_INSUFFICIENT_RESOURCES = 66
    NOTIFICATION_FA_MN_FAILED_AUTHENTICATION = 67
    NOTIFICATION_FA_HA_FAILED_AUTHENTICATION = 68
    NOTIFICATION_FA_IDENTIFICATION_MISMATCH = 69
    NOTIFICATION_REASON_UNSPECIFIED = 128
    NOTIFICATION_ADMINISTRATIVELY_PROHIBITED = 129
    NOTIFICATION_INSUFFICIENT_RESOURCES = 130
    NOTIFICATION_MN_FAILED_AUTHENTICATION = 131      # from the home agent, about the mobile node
    NOTIFICATION_FA_FAILED_AUTHENTICATION = 132      # from the home agent, about the foreign agent
    NOTIFICATION_IDENTIFICATION_MISMATCH = 133
    NOTIFICATION_MN_REASON_UNSPECIFIED = 192
    NOTIFICATION_MN_ADMINISTRATIVELY_PROHIBITED = 193
    NOTIFICATION_MN_INSUFFICIENT_RESOURCES = 194
    NOTIFICATION_MN_FA_FAILED_AUTHENTICATION = 195
    NOTIFICATION_MN_HA_FAILED_AUTHENTICATION = 196
    NOTIFICATION_MN_IDENTIFICATION_MISMATCH = 197

cpdef enum TunnelReplyCode:
    """Codes of a UDP Tunnel Reply, RFC 3519 3.2.1; 0-63 assent, 64-255 decline."""
    TUNNEL_WILL_DO = 0
    TUNNEL_DECLINED = 64                 # reason unspecified

cpdef enum PrefixReplyCode:
    """Codes of an IPv6 Prefix Reply, RFC 5454 2.2; 0-7 accept, 8-255 reject."""
    PREFIX_TO_HOME_ADDRESS = 0           # accepted, IPv6 is tunnelled to the home address
    PREFIX_TO_CARE_OF_ADDRESS = 1
    PREFIX_REASON_UNSPECIFIED = 8
    PREFIX_ADMINISTRATIVELY_PROHIBITED = 9

cpdef enum MobileNetworkCode:
    """Codes of a Mobile Network Acknowledgement, RFC 5177 4.2."""
    MOBILE_NETWORK_SUCCESS = 0
    MOBILE_NETWORK_INVALID_PREFIX = 1
    MOBILE_NETWORK_UNAUTHORIZED = 2
    MOBILE_NETWORK_FORWARDING_FAILED = 3

cpdef enum KeyAlgorithm:
    """Algorithm Identifier of a key reply, RFC 3957 4, RFC 2407 4.5."""
    KEY_HMAC_MD5 = 1
    KEY_HMAC_SHA = 2
    KEY_DES_MAC = 3
    KEY_KPDK = 4

cpdef enum ReplayMethod:
    """Replay Method of a key reply, RFC 3957 4."""
    METHOD_TIMESTAMPS = 2
    METHOD_NONCES = 3

cpdef enum RegionalReplayStyle:
    """Of regional registrations, RFC 4857 9.3: other numbers than in a key reply."""
    STYLE_TIMESTAMP = 0
    STYLE_NONCE = 1

cpdef enum ProxyAuthentication:
    """Authentication between a proxy and its home agent, RFC 5563 5.1."""
    PROXY_FA_HA = 1
    PROXY_IPSEC = 2

cpdef enum DeviceIdKind:
    """RFC 5563 5.3."""
    DEVICE_ETHERNET_ADDRESS = 1
    DEVICE_MEID = 2                      # mobile equipment identifier
    DEVICE_IMEI = 3                      # international mobile equipment identity
    DEVICE_ESN = 4                       # electronic serial number

cpdef enum SubscriberIdKind:
    """RFC 5563 5.4."""
    SUBSCRIBER_IMSI = 1                  # international mobile subscriber identity

cpdef enum ProxyAccess:
    """Access technology of a proxied node, RFC 5563 5.5."""
    ACCESS_802_3 = 1
    ACCESS_802_11 = 2
    ACCESS_802_16E = 3
    ACCESS_802_16M = 4
    ACCESS_LTE = 5
    ACCESS_UTRAN = 6
    ACCESS_HRPD = 7
    ACCESS_UMB = 8

cpdef enum CapabilityFlag:
    """Of a Mobile Router Route Optimization Capability, RFC 6521 5.1."""
    CAPABILITY_A = 0x80                  # advertise my networks
    CAPABILITY_R = 0x40                  # request networks of the domain
    CAPABILITY_S = 0x20                  # solicit those of one mobile router
    CAPABILITY_O = 0x10                  # can only initiate connections

cpdef enum OptimizationFlag:
    """Of a Route Optimization Reply, beside its code, RFC 6521 5.2."""
    OPTIMIZATION_O = 0x80                # the flag O of the request was set
    OPTIMIZATION_N = 0x40                # a NAT was seen
    OPTIMIZATION_S = 0x20                # answers a solicitation

cpdef enum OptimizationCode:
    """Codes of a Route Optimization Reply, RFC 6521 5.2; 0-15 assent, the others decline."""
    OPTIMIZATION_WILL_DO = 0
    OPTIMIZATION_DECLINED = 16           # reason unspecified

cpdef enum MultipathFlag:
    """RFC 7629 4.1; not both."""
    MULTIPATH_B = 0x80                   # renew all bindings
    MULTIPATH_O = 0x40                   # replace all bindings

cpdef enum FlowAction:
    """RFC 7629 4.2."""
    FLOW_DROP = 0
    FLOW_FORWARD = 1

cpdef enum SelectorFormat:
    """Traffic selectors of flow bindings, RFC 7629 4.2, RFC 6088 3."""
    SELECTOR_IPV4 = 1
    SELECTOR_IPV6 = 2
