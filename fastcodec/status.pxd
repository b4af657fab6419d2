cpdef enum Status:
    """What became of a row in the codec: OK, or the first thing that was wrong with it."""
    OK = 0
    TOO_SHORT = 1                  # fewer octets than the fixed part or the header
    WRONG_TYPE = 2                 # not a message of this kind
    BAD_LENGTH = 3                 # a RADIUS Length outside 20..4096 or beyond the datagram
    EXTENSION_OVERRUN = 4          # an extension or attribute that does not fit
    UNKNOWN_EXTENSION = 5          # an unknown extension of type 0..127
    TOO_MANY_EXTENSIONS = 6        # more than 32 extensions or 255 attributes
    BAD_EXTENSION = 7              # a known extension of impossible length
    DOUBLED_EXTENSION = 8          # a second one of a kind that must be single
    NO_AUTHENTICATOR = 9           # nothing to check it with
    BAD_AUTHENTICATOR = 10         # the authenticator does not match
    BAD_CHECKSUM = 11              # the Internet checksum does not match
    FRAGMENT = 12                  # part of a datagram: what it carries cannot be told
    MISSING_EXTENSION = 13         # a part that the message must have is absent
