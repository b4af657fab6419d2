from enum import IntEnum

from fastcodec.dictionary import Dictionary

OUR_VENDOR: str
SLOT_NAMES: dict[Slot, str]
HEADER: int
LONGEST: int
MOST_ATTRIBUTES: int
VENDOR_SPECIFIC: int

def occurrences(packet: bytes, slot: int) -> list[bytes]: ...
def attribute(slot: int, value: bytes) -> bytes | None: ...
def configure(dictionary: Dictionary | None = None) -> None: ...

class Code(IntEnum):
    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12

class RequesterRole(IntEnum):
    REQUESTER_NAS = 1
    REQUESTER_FHA = 2

class Slot(IntEnum):
    NO_SLOT = 0
    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    SERVICE_TYPE = 5
    FRAMED_IP_ADDRESS = 6
    REPLY_MESSAGE = 7
    STATE = 8
    CLASS = 9
    SESSION_TIMEOUT = 10
    CALLING_STATION_ID = 11
    NAS_IDENTIFIER = 12
    PROXY_STATE = 13
    ACCT_SESSION_ID = 14
    CHAP_CHALLENGE = 15
    NAS_PORT_TYPE = 16
    EAP_MESSAGE = 17
    MESSAGE_AUTHENTICATOR = 18
    ACCT_INTERIM_INTERVAL = 19
    FRAMED_IPV6_PREFIX = 20
    OPERATOR_NAME = 21
    FRAMED_IPV6_ADDRESS = 22
    REQUESTER_ROLE = 23
    FHA_IP_ADDRESS = 24
    FHA_FQDN = 25
    CARE_OF_ADDRESS = 26
    COA_TYPE = 27
    IPV6_HOME_ADDRESS = 28
    IPV6_HOME_AGENT = 29
    REGISTRATION_LIFETIME = 30
    DENIAL_CODE = 31
    MN_AAA_SPI = 32
    MN_AAA_DATA = 33
    MN_AAA_AUTHENTICATOR = 34
    KEY_REQUEST = 35
    MN_FHA_MN_SPI = 36
    MN_FHA_FHA_SPI = 37
    AAA_SPI = 38
    MN_FHA_NONCE = 39
    MN_FHA_KEY = 40
    MN_FHA_ALGORITHM = 41
    MN_FHA_REPLAY_METHOD = 42
    MN_FHA_KEY_LIFETIME = 43
    ACCT_STATUS_TYPE = 44
    SLOTS = 45
