from enum import IntEnum

class Shape(IntEnum):
    TLV = 0
    SHORT = 1
    LONG = 2
    PAD = 3
    UNKNOWN_MUST = 4
    UNKNOWN_SKIP = 5
    EITHER = 6
