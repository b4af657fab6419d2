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
cdef RegionalAddress _regional_address
cdef const RegionalAddress[::1] _regional_addresss = <RegionalAddress[:1]> &_regional_address
cdef RegionalReplay _regional_replay
cdef const RegionalReplay[::1] _regional_replays = <RegionalReplay[:1]> &_regional_replay
cdef RegionalLifetime _regional_lifetime
cdef const RegionalLifetime[::1] _regional_lifetimes = <RegionalLifetime[:1]> &_regional_lifetime
cdef AuthenticationMethod _authentication_method
cdef const AuthenticationMethod[::1] _authentication_methods = <AuthenticationMethod[:1]> &_authentication_method
cdef IdentifierKind _identifier_kind
cdef const IdentifierKind[::1] _identifier_kinds = <IdentifierKind[:1]> &_identifier_kind
cdef AccessTechnology _access_technology
cdef const AccessTechnology[::1] _access_technologys = <AccessTechnology[:1]> &_access_technology
cdef GreKey _gre_key
cdef const GreKey[::1] _gre_keys = <GreKey[:1]> &_gre_key
cdef OptimizationReply _optimization_reply
cdef const OptimizationReply[::1] _optimization_replys = <OptimizationReply[:1]> &_optimization_reply
cdef NonceIndexes _nonce_indexes
cdef const NonceIndexes[::1] _nonce_indexess = <NonceIndexes[:1]> &_nonce_indexes
cdef Capability _capability
cdef const Capability[::1] _capabilitys = <Capability[:1]> &_capability
cdef TraversalAddresses _traversal_addresses
cdef const TraversalAddresses[::1] _traversal_addressess = <TraversalAddresses[:1]> &_traversal_addresses
cdef EthernetAddress _ethernet_address
cdef const EthernetAddress[::1] _ethernet_addresss = <EthernetAddress[:1]> &_ethernet_address
cdef Eui64 _eui64
cdef const Eui64[::1] _eui64s = <Eui64[:1]> &_eui64
cdef AgentAddress _agent_address
cdef const AgentAddress[::1] _agent_addresss = <AgentAddress[:1]> &_agent_address
cdef AccessPoint _access_point
cdef const AccessPoint[::1] _access_points = <AccessPoint[:1]> &_access_point
cdef Multipath _multipath
cdef const Multipath[::1] _multipaths = <Multipath[:1]> &_multipath
cdef FlowBinding _flow_binding
cdef const FlowBinding[::1] _flow_bindings = <FlowBinding[:1]> &_flow_binding
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
    "RegionalAddress": dtype_of(_regional_addresss),
    "RegionalReplay": dtype_of(_regional_replays),
    "RegionalLifetime": dtype_of(_regional_lifetimes),
    "AuthenticationMethod": dtype_of(_authentication_methods),
    "IdentifierKind": dtype_of(_identifier_kinds),
    "AccessTechnology": dtype_of(_access_technologys),
    "GreKey": dtype_of(_gre_keys),
    "OptimizationReply": dtype_of(_optimization_replys),
    "NonceIndexes": dtype_of(_nonce_indexess),
    "Capability": dtype_of(_capabilitys),
    "TraversalAddresses": dtype_of(_traversal_addressess),
    "EthernetAddress": dtype_of(_ethernet_addresss),
    "Eui64": dtype_of(_eui64s),
    "AgentAddress": dtype_of(_agent_addresss),
    "AccessPoint": dtype_of(_access_points),
    "Multipath": dtype_of(_multipaths),
    "FlowBinding": dtype_of(_flow_bindings),
    "HomeAgentAddress": dtype_of(_home_agent_addresss),
    "MobileNetwork": dtype_of(_mobile_networks),
    "MobileNetworkReply": dtype_of(_mobile_network_replys),
    "OneReserved": dtype_of(_one_reserveds),
    "PrefixRequest": dtype_of(_prefix_requests),
    "PrefixReply": dtype_of(_prefix_replys),
}
