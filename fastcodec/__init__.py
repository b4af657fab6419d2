"""Compiled codec for Mobile IPv4, Mobile IPv6, RADIUS, EAP, PANA, agent discovery and the tunnels between them.

    >>> import fastcodec as fc
    >>> message = fc.Mip4Message.decode(octets, keys={0x101: key})
    >>> message.home_agent, message.nai()
    >>> octets = message.replace(lifetime=600).sign({0x101: key}).encode()

One message: `Mip4Message`, `MobilityMessage` (`MobilityPacket` with its IPv6 header), `RadiusPacket`, `EapPacket`, `PanaMessage`,
`AgentMessage`; each `decode` takes any message of its protocol. n of them as rows of one array: `RegistrationBatch`,
`MobilityBatch`, `RadiusBatch`, `AgentBatch`. Packets in packets: `wrap`, `unwrap`, `look`; captures: `fastcodec.capture`.
Errors are a tree, drawn in `fastcodec.errors`. The README beside this file has examples of all.
"""
from fastcodec.agent_batch import AgentBatch
from fastcodec.agent_discovery import AgentFlag
from fastcodec.agents import (
    AdvertisedChallenge,
    AdvertisedExperiment,
    AdvertisedLinkLayerAddress,
    AgentAdvertisement,
    AgentMessage,
    AgentSolicitation,
    CriticalAdvertisedExperiment,
    MobilityAgent,
    PrefixLengths,
    RouterAddress,
)
from fastcodec.attributes import Attributes, configure
from fastcodec.base import Message, Part
from fastcodec.cmac import aes_cmac
from fastcodec.dictionary import Dictionary, load
from fastcodec.eap import (
    EapBody,
    EapCode,
    EapExpanded,
    EapIdentity,
    EapMd5Challenge,
    EapNak,
    EapNotification,
    EapPacket,
    EapType,
    EapUnknown,
    eap_md5_response,
    verify_eap_md5,
)
from fastcodec.errors import AuthenticationError, DecodeError, DictionaryError, EncodeError, FastcodecError, LocalError, RemoteError
from fastcodec.extension_index import ExtensionIndex
from fastcodec.gpsk import (
    Gpsk1,
    Gpsk2,
    Gpsk3,
    Gpsk4,
    GpskFail,
    GpskFailure,
    GpskKeys,
    GpskMessage,
    GpskProtectedFail,
    derive_gpsk_keys,
    gpsk_psk,
    sign_gpsk,
    verify_gpsk,
)
from fastcodec.headers import Fragment, Location, Protocol, checksum, ipv6_packet, look
from fastcodec.hidden import Hidden, Revealed, RevealedText
from fastcodec.hiding import chap_response, hide_password, reveal_password, salt_decrypt, salt_encrypt
from fastcodec.key_table import KeyTable
from fastcodec.lint import Finding, lint
from fastcodec.mip4 import (
    BootstrapType,
    ExtensionType,
    Flag,
    InformFlag,
    MessageType,
    NotificationDirection,
    NotificationFlag,
    ReplyCode,
    RevocationFlag,
    TunnelReplyFlag,
    TunnelRequestFlag,
)
from fastcodec.mip4_codes import (
    CapabilityFlag,
    DeviceIdKind,
    FlowAction,
    KeyAlgorithm,
    MobileNetworkCode,
    MultipathFlag,
    NotificationCode,
    OptimizationCode,
    OptimizationFlag,
    PrefixReplyCode,
    ProxyAccess,
    ProxyAuthentication,
    RegionalReplayStyle,
    ReplayMethod,
    SelectorFormat,
    SubscriberIdKind,
    TunnelReplyCode,
)
from fastcodec.mip4_extensions import (
    AaahIdentity,
    BootstrapAddress,
    Challenge,
    CriticalVendorExtension,
    Extension,
    FaError,
    FaFaAuthentication,
    FaHaAuthentication,
    GeneralizedAuthentication,
    HomeAgentIdentity,
    MnFaAuthentication,
    MnFaNonceReply,
    MnFaNonceRequest,
    MnGfaAuthentication,
    MnHaAuthentication,
    MnParAuthentication,
    Nai,
    NonceReply,
    NonceRequest,
    Padding,
    RedirectedHomeAgent,
    RequestedHomeAgent,
    RevocationSupport,
    ShortRedirectedHomeAgent,
    ShortRequestedHomeAgent,
    UnknownExtension,
    VendorExtension,
)
from fastcodec.mip4_messages import (
    GenericNotification,
    Mip4Message,
    NotificationAcknowledgment,
    RegistrationReply,
    RegistrationRequest,
    RegistrationRevocation,
    RevocationAcknowledgment,
    TunnelData,
)
from fastcodec.mip4_routing import (
    AccessPoint,
    CareOfAddresses,
    EthernetLinkLayerAddress,
    Eui64LinkLayerAddress,
    FlowBinding,
    ForeignAgentAddress,
    GfaAddress,
    HierarchicalForeignAgent,
    ImsiConnection,
    ImsiLinkLayerAddress,
    MobileCorrespondentAuthentication,
    MultipathBinding,
    RegionalLifetime,
    ReplayStyle,
    RouteOptimizationCapability,
    RouteOptimizationPrefixes,
    RouteOptimizationReply,
    SkipTraversal,
    SolicitedAddress,
)
from fastcodec.mip4_services import (
    CriticalExperiment,
    DeliveryStyle,
    Experiment,
    GreKey,
    Ipv6PrefixReply,
    Ipv6PrefixRequest,
    Ipv6TunnelingMode,
    MessageString,
    MobileNetworkAcknowledgment,
    MobileNetworkRequest,
    ProxyAccessTechnology,
    ProxyAuthenticationMethod,
    ProxyDeviceId,
    ProxyInterfaceId,
    ProxySubscriberId,
    ServiceSelection,
    TrustedNetworks,
    UdpTunnelReply,
    UdpTunnelRequest,
)
from fastcodec.mip6 import (
    AcknowledgementFlag,
    BindingErrorStatus,
    BindingStatus,
    IPv4AddressStatus,
    MobilityType,
    NatFlag,
    OptionType,
    UpdateFlag,
    sequence_is_fresh,
)
from fastcodec.mobility import (
    BindingAcknowledgement,
    BindingError,
    BindingRefreshRequest,
    BindingUpdate,
    CareOfTest,
    CareOfTestInit,
    HomeTest,
    HomeTestInit,
    MobilityMessage,
)
from fastcodec.mobility_batch import MobilityBatch
from fastcodec.mobility_options import (
    AlternateCareOfAddressOption,
    AuthenticationOption,
    AuthorizationDataOption,
    HomeNetworkPrefixOption,
    IPv4AcknowledgementOption,
    IPv4CareOfAddressOption,
    IPv4HomeAddressOption,
    MobileNetworkPrefixOption,
    MobileNodeIdentifierOption,
    MobilityOption,
    MobilityPadding,
    MobilityVendorOption,
    NatDetectionOption,
    NonceIndicesOption,
    RefreshAdviceOption,
    ReplayProtectionOption,
    ServiceSelectionOption,
    TimestampOption,
    UnknownOption,
)
from fastcodec.mobility_packet import MobilityPacket
from fastcodec.packet import verify_request, verify_response
from fastcodec.pana import (
    AvpCode,
    HandOffAvp,
    IntegrityAlgorithm,
    PanaFlag,
    PanaResult,
    PanaType,
    PrfAlgorithm,
    TerminationCause,
    pana_auth_key,
    prf_plus,
)
from fastcodec.pana_messages import (
    AuthAvp,
    Avp,
    EapPayloadAvp,
    IntegrityAlgorithmAvp,
    KeyIdAvp,
    NonceAvp,
    PanaMessage,
    PrfAlgorithmAvp,
    RawAvp,
    ResultCodeAvp,
    SessionLifetimeAvp,
    TerminationCauseAvp,
    UnknownAvp,
    VendorAvp,
)
from fastcodec.radius import Code, Slot
from fastcodec.radius_batch import RadiusBatch
from fastcodec.radius_packet import RadiusPacket
from fastcodec.registration import derive_key, verify_authentication, verify_mn_aaa, verify_mn_ha
from fastcodec.registration_batch import RegistrationBatch
from fastcodec.route_prefixes import RoutePrefix, route_prefixes
from fastcodec.secret import Secret, SecretArray
from fastcodec.status import Status
from fastcodec.tunnel import TunnelKind, unwrap, wrap
from fastcodec.tunnels import GreHeader, IPv4Header, IPv6Header, MinimalHeader, UdpHeader, Unwrapped

__all__ = [
    "AaahIdentity", "AccessPoint", "AcknowledgementFlag", "AdvertisedChallenge", "AdvertisedExperiment", "AdvertisedLinkLayerAddress",
    "AgentAdvertisement", "AgentBatch", "AgentFlag", "AgentMessage", "AgentSolicitation", "AlternateCareOfAddressOption", "Attributes",
    "AuthAvp", "AuthenticationError", "AuthenticationOption", "AuthorizationDataOption", "Avp", "AvpCode", "BindingAcknowledgement",
    "BindingError", "BindingErrorStatus", "BindingRefreshRequest", "BindingStatus", "BindingUpdate", "BootstrapAddress",
    "BootstrapType", "CapabilityFlag", "CareOfAddresses", "CareOfTest", "CareOfTestInit", "Challenge", "Code",
    "CriticalAdvertisedExperiment", "CriticalExperiment", "CriticalVendorExtension", "DecodeError", "DeliveryStyle", "DeviceIdKind",
    "Dictionary", "DictionaryError", "EapBody", "EapCode", "EapExpanded", "EapIdentity", "EapMd5Challenge", "EapNak", "EapNotification",
    "EapPacket", "EapPayloadAvp", "EapType", "EapUnknown", "EncodeError", "EthernetLinkLayerAddress", "Eui64LinkLayerAddress",
    "Experiment", "Extension", "ExtensionIndex", "ExtensionType", "FaError", "FaFaAuthentication", "FaHaAuthentication",
    "FastcodecError", "Finding", "Flag", "FlowAction", "FlowBinding", "ForeignAgentAddress", "Fragment", "GeneralizedAuthentication",
    "GenericNotification", "GfaAddress", "Gpsk1", "Gpsk2", "Gpsk3", "Gpsk4", "GpskFail", "GpskFailure", "GpskKeys", "GpskMessage",
    "GpskProtectedFail", "GreHeader", "GreKey", "HandOffAvp", "Hidden", "HierarchicalForeignAgent", "HomeAgentIdentity",
    "HomeNetworkPrefixOption", "HomeTest", "HomeTestInit", "IPv4AcknowledgementOption", "IPv4AddressStatus", "IPv4CareOfAddressOption",
    "IPv4Header", "IPv4HomeAddressOption", "IPv6Header", "ImsiConnection", "ImsiLinkLayerAddress", "InformFlag", "IntegrityAlgorithm",
    "IntegrityAlgorithmAvp", "Ipv6PrefixReply", "Ipv6PrefixRequest", "Ipv6TunnelingMode", "KeyAlgorithm", "KeyIdAvp", "KeyTable",
    "LocalError", "Location", "Message", "MessageString", "MessageType", "MinimalHeader", "Mip4Message", "MnFaAuthentication",
    "MnFaNonceReply", "MnFaNonceRequest", "MnGfaAuthentication", "MnHaAuthentication", "MnParAuthentication",
    "MobileCorrespondentAuthentication", "MobileNetworkAcknowledgment", "MobileNetworkCode", "MobileNetworkPrefixOption",
    "MobileNetworkRequest", "MobileNodeIdentifierOption", "MobilityAgent", "MobilityBatch", "MobilityMessage", "MobilityOption",
    "MobilityPacket", "MobilityPadding", "MobilityType", "MobilityVendorOption", "MultipathBinding", "MultipathFlag", "Nai",
    "NatDetectionOption", "NatFlag", "NonceAvp", "NonceIndicesOption", "NonceReply", "NonceRequest", "NotificationAcknowledgment",
    "NotificationCode", "NotificationDirection", "NotificationFlag", "OptimizationCode", "OptimizationFlag", "OptionType", "Padding",
    "PanaFlag", "PanaMessage", "PanaResult", "PanaType", "Part", "PrefixLengths", "PrefixReplyCode", "PrfAlgorithm", "PrfAlgorithmAvp",
    "Protocol", "ProxyAccess", "ProxyAccessTechnology", "ProxyAuthentication", "ProxyAuthenticationMethod", "ProxyDeviceId",
    "ProxyInterfaceId", "ProxySubscriberId", "RadiusBatch", "RadiusPacket", "RawAvp", "RedirectedHomeAgent", "RefreshAdviceOption",
    "RegionalLifetime", "RegionalReplayStyle", "RegistrationBatch", "RegistrationReply", "RegistrationRequest",
    "RegistrationRevocation", "RemoteError", "ReplayMethod", "ReplayProtectionOption", "ReplayStyle", "ReplyCode", "RequestedHomeAgent",
    "ResultCodeAvp", "Revealed", "RevealedText", "RevocationAcknowledgment", "RevocationFlag", "RevocationSupport",
    "RouteOptimizationCapability", "RouteOptimizationPrefixes", "RouteOptimizationReply", "RoutePrefix", "RouterAddress", "Secret",
    "SecretArray", "SelectorFormat", "ServiceSelection", "ServiceSelectionOption", "SessionLifetimeAvp", "ShortRedirectedHomeAgent",
    "ShortRequestedHomeAgent", "SkipTraversal", "Slot", "SolicitedAddress", "Status", "SubscriberIdKind", "TerminationCause",
    "TerminationCauseAvp", "TimestampOption", "TrustedNetworks", "TunnelData", "TunnelKind", "TunnelReplyCode", "TunnelReplyFlag",
    "TunnelRequestFlag", "UdpHeader", "UdpTunnelReply", "UdpTunnelRequest", "UnknownAvp", "UnknownExtension", "UnknownOption",
    "Unwrapped", "UpdateFlag", "VendorAvp", "VendorExtension", "aes_cmac", "chap_response", "checksum", "configure", "derive_gpsk_keys",
    "derive_key", "eap_md5_response", "gpsk_psk", "hide_password", "ipv6_packet", "lint", "load", "look", "pana_auth_key", "prf_plus",
    "reveal_password", "route_prefixes", "salt_decrypt", "salt_encrypt", "sequence_is_fresh", "sign_gpsk", "unwrap",
    "verify_authentication", "verify_eap_md5", "verify_gpsk", "verify_mn_aaa", "verify_mn_ha", "verify_request", "verify_response",
    "wrap",
]
