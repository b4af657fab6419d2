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
    AgentAdvertisement,
    AgentMessage,
    AgentSolicitation,
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
from fastcodec.mip4_services import (
    CriticalExperiment,
    DeliveryStyle,
    Experiment,
    FlowBinding,
    GfaAddress,
    GreKey,
    HierarchicalForeignAgent,
    Ipv6PrefixReply,
    Ipv6PrefixRequest,
    Ipv6TunnelingMode,
    LinkLayerAddress,
    MessageString,
    MobileNetworkAcknowledgment,
    MobileNetworkRequest,
    ProxyAccessTechnology,
    ProxyAuthenticationMethod,
    ProxyDeviceId,
    ProxyInterfaceId,
    ProxySubscriberId,
    RegionalLifetime,
    ReplayStyle,
    RouteOptimization,
    RouteOptimizationData,
    RouteOptimizationIndication,
    ServiceSelection,
    SkipTraversal,
    TrustedNetworks,
    UdpTunnelReply,
    UdpTunnelRequest,
)
from fastcodec.mip6 import AcknowledgementFlag, BindingErrorStatus, BindingStatus, MobilityType, OptionType, UpdateFlag, sequence_is_fresh
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
from fastcodec.secret import Secret, SecretArray
from fastcodec.status import Status
from fastcodec.tunnel import TunnelKind, unwrap, wrap
from fastcodec.tunnels import GreHeader, IPv4Header, IPv6Header, MinimalHeader, UdpHeader, Unwrapped

__all__ = [
    "AaahIdentity", "AcknowledgementFlag", "AdvertisedChallenge", "AgentAdvertisement", "AgentBatch", "AgentFlag", "AgentMessage",
    "AgentSolicitation",
    "AlternateCareOfAddressOption", "Attributes", "AuthAvp", "AuthenticationError", "AuthenticationOption", "AuthorizationDataOption",
    "Avp", "AvpCode", "BindingAcknowledgement", "BindingError", "BindingErrorStatus", "BindingRefreshRequest", "BindingStatus",
    "BindingUpdate", "BootstrapAddress", "BootstrapType", "CareOfTest", "CareOfTestInit", "Challenge", "Code", "CriticalExperiment",
    "CriticalVendorExtension", "DecodeError", "DeliveryStyle", "Dictionary", "DictionaryError", "EapBody", "EapCode", "EapExpanded",
    "EapIdentity", "EapMd5Challenge", "EapNak", "EapNotification", "EapPacket", "EapPayloadAvp", "EapType", "EapUnknown", "EncodeError",
    "Experiment", "Extension", "ExtensionIndex", "ExtensionType", "FaError", "FaFaAuthentication", "FaHaAuthentication",
    "FastcodecError", "Finding", "Flag", "FlowBinding", "Fragment", "GeneralizedAuthentication", "GenericNotification", "GfaAddress",
    "Gpsk1", "Gpsk2", "Gpsk3", "Gpsk4", "GpskFail", "GpskKeys", "GpskMessage", "GpskProtectedFail", "GreHeader", "GreKey", "Hidden",
    "HierarchicalForeignAgent", "HomeAgentIdentity", "HomeNetworkPrefixOption", "HomeTest", "HomeTestInit", "IPv4AcknowledgementOption",
    "IPv4CareOfAddressOption", "IPv4Header", "IPv4HomeAddressOption", "IPv6Header", "InformFlag", "IntegrityAlgorithm",
    "IntegrityAlgorithmAvp", "Ipv6PrefixReply", "Ipv6PrefixRequest", "Ipv6TunnelingMode", "KeyIdAvp", "KeyTable", "LinkLayerAddress",
    "LocalError", "Location", "Message", "MessageString", "MessageType", "MinimalHeader", "Mip4Message", "MnFaAuthentication",
    "MnFaNonceReply", "MnFaNonceRequest", "MnGfaAuthentication", "MnHaAuthentication", "MnParAuthentication",
    "MobileNetworkAcknowledgment", "MobileNetworkPrefixOption", "MobileNetworkRequest", "MobileNodeIdentifierOption", "MobilityAgent",
    "MobilityBatch", "MobilityMessage", "MobilityOption", "MobilityPacket", "MobilityPadding", "MobilityType", "MobilityVendorOption",
    "Nai", "NatDetectionOption", "NonceAvp", "NonceIndicesOption", "NonceReply", "NonceRequest", "NotificationAcknowledgment",
    "NotificationDirection", "NotificationFlag", "OptionType", "Padding", "PanaFlag", "PanaMessage", "PanaResult", "PanaType", "Part",
    "PrefixLengths", "PrfAlgorithm", "PrfAlgorithmAvp", "Protocol", "ProxyAccessTechnology", "ProxyAuthenticationMethod",
    "ProxyDeviceId", "ProxyInterfaceId", "ProxySubscriberId", "RadiusBatch", "RadiusPacket", "RawAvp", "RedirectedHomeAgent",
    "RefreshAdviceOption", "RegionalLifetime", "RegistrationBatch", "RegistrationReply", "RegistrationRequest",
    "RegistrationRevocation", "RemoteError", "ReplayProtectionOption", "ReplayStyle", "ReplyCode", "RequestedHomeAgent",
    "ResultCodeAvp", "Revealed", "RevealedText", "RevocationAcknowledgment", "RevocationFlag", "RevocationSupport", "RouteOptimization",
    "RouteOptimizationData", "RouteOptimizationIndication", "RouterAddress", "Secret", "SecretArray", "ServiceSelection",
    "ServiceSelectionOption", "SessionLifetimeAvp", "ShortRedirectedHomeAgent", "ShortRequestedHomeAgent", "SkipTraversal", "Slot",
    "Status", "TerminationCause", "TerminationCauseAvp", "TimestampOption", "TrustedNetworks", "TunnelData", "TunnelKind",
    "TunnelReplyFlag", "TunnelRequestFlag", "UdpHeader", "UdpTunnelReply", "UdpTunnelRequest", "UnknownAvp", "UnknownExtension",
    "UnknownOption", "Unwrapped", "UpdateFlag", "VendorAvp", "VendorExtension", "aes_cmac", "chap_response", "checksum", "configure",
    "derive_gpsk_keys", "derive_key", "eap_md5_response", "gpsk_psk", "hide_password", "ipv6_packet", "lint", "load", "look",
    "pana_auth_key", "prf_plus", "reveal_password", "salt_decrypt", "salt_encrypt", "sequence_is_fresh", "sign_gpsk", "unwrap",
    "verify_authentication", "verify_eap_md5", "verify_gpsk", "verify_mn_aaa", "verify_mn_ha", "verify_request", "verify_response",
    "wrap",
]
