from enum import IntEnum

class Violation(IntEnum):
    HELD_TWICE = 0
    OUTSIDE_POOL = 1
    WRONG_NODE = 2
    NO_ACCEPT = 3
    WRONG_PARAMETERS = 4
    VIOLATIONS = 5
