"""numpy layouts of what stands in Mobile IPv4 extensions."""
from fastcodec.overlay import dtype_of

cdef TlvHeader _tlv_header
cdef const TlvHeader[::1] _tlv_headers = <TlvHeader[:1]> &_tlv_header
cdef ShortHeader _short_header
cdef const ShortHeader[::1] _short_headers = <ShortHeader[:1]> &_short_header
cdef LongHeader _long_header
cdef const LongHeader[::1] _long_headers = <LongHeader[:1]> &_long_header
cdef VendorType _vendor_type
cdef const VendorType[::1] _vendor_types = <VendorType[:1]> &_vendor_type
cdef MnFaNonce _mn_fa_nonce
cdef const MnFaNonce[::1] _mn_fa_nonces = <MnFaNonce[:1]> &_mn_fa_nonce
cdef UdpTunnelReply _udp_tunnel_reply
cdef const UdpTunnelReply[::1] _udp_tunnel_replys = <UdpTunnelReply[:1]> &_udp_tunnel_reply
cdef UdpTunnelRequest _udp_tunnel_request
cdef const UdpTunnelRequest[::1] _udp_tunnel_requests = <UdpTunnelRequest[:1]> &_udp_tunnel_request
cdef FaError _fa_error
cdef const FaError[::1] _fa_errors = <FaError[:1]> &_fa_error
cdef AuthenticationMethod _authentication_method
cdef const AuthenticationMethod[::1] _authentication_methods = <AuthenticationMethod[:1]> &_authentication_method
cdef IdentifierKind _identifier_kind
cdef const IdentifierKind[::1] _identifier_kinds = <IdentifierKind[:1]> &_identifier_kind
cdef AccessTechnology _access_technology
cdef const AccessTechnology[::1] _access_technologys = <AccessTechnology[:1]> &_access_technology
cdef GreKey _gre_key
cdef const GreKey[::1] _gre_keys = <GreKey[:1]> &_gre_key
cdef HomeAgentAddress _home_agent_address
cdef const HomeAgentAddress[::1] _home_agent_addresss = <HomeAgentAddress[:1]> &_home_agent_address
cdef MobileNetwork _mobile_network
cdef const MobileNetwork[::1] _mobile_networks = <MobileNetwork[:1]> &_mobile_network
cdef MobileNetworkReply _mobile_network_reply
cdef const MobileNetworkReply[::1] _mobile_network_replys = <MobileNetworkReply[:1]> &_mobile_network_reply
cdef OneReserved _one_reserved
cdef const OneReserved[::1] _one_reserveds = <OneReserved[:1]> &_one_reserved
cdef PrefixRequest _prefix_request
cdef const PrefixRequest[::1] _prefix_requests = <PrefixRequest[:1]> &_prefix_request
cdef PrefixReply _prefix_reply
cdef const PrefixReply[::1] _prefix_replys = <PrefixReply[:1]> &_prefix_reply

LAYOUTS = {
    "TlvHeader": dtype_of(_tlv_headers),
    "ShortHeader": dtype_of(_short_headers),
    "LongHeader": dtype_of(_long_headers),
    "VendorType": dtype_of(_vendor_types),
    "MnFaNonce": dtype_of(_mn_fa_nonces),
    "UdpTunnelReply": dtype_of(_udp_tunnel_replys),
    "UdpTunnelRequest": dtype_of(_udp_tunnel_requests),
    "FaError": dtype_of(_fa_errors),
    "AuthenticationMethod": dtype_of(_authentication_methods),
    "IdentifierKind": dtype_of(_identifier_kinds),
    "AccessTechnology": dtype_of(_access_technologys),
    "GreKey": dtype_of(_gre_keys),
    "HomeAgentAddress": dtype_of(_home_agent_addresss),
    "MobileNetwork": dtype_of(_mobile_networks),
    "MobileNetworkReply": dtype_of(_mobile_network_replys),
    "OneReserved": dtype_of(_one_reserveds),
    "PrefixRequest": dtype_of(_prefix_requests),
    "PrefixReply": dtype_of(_prefix_replys),
}
