"""Values of options: text to what it means, or an error that says what was expected."""
import math
from argparse import ArgumentTypeError
from ipaddress import IPv4Network

from loadgen.plan import MOST_TRIES, MOST_UNDER_WAY, SCENARIOS
from loadgen.verdict import MaxFailures
from servers.endpoint import Endpoint, parse_endpoint

LONGEST_S = 1e9  # 31 years, which 64 bits of nanoseconds hold many times over


def number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most}")
    return int(text)


def count(text: str) -> int:
    return number(text, 1, 2**24)


def port(text: str) -> int:
    return number(text, 0, 65_535)


def packets(text: str) -> int:
    return number(text, 1, 2**48)


def seed(text: str) -> int:
    return number(text, 0, 2**64 - 1)


def tries(text: str) -> int:
    return number(text, 1, MOST_TRIES)


def concurrency(text: str) -> int:
    return number(text, 1, MOST_UNDER_WAY)


def buffer_size(text: str) -> int:
    return number(text, 4096, 2**30)


def lifetime(text: str) -> int:
    return number(text, 1, 65_534)


def cool_down(text: str) -> int:
    return number(text, 0, 86_400)


def positive(text: str) -> float:
    """A finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def between(text: str, least: float, most: float) -> float:
    value = positive(text)
    if not least <= value <= most:
        raise ArgumentTypeError(f"'{text}' is not a number from {least:g} to {most:g}")
    return value


def rate(text: str) -> float:
    return between(text, 0.001, 1e9)


def duration(text: str) -> float:
    return between(text, 0.001, LONGEST_S)


def timeout(text: str) -> float:
    """Seconds; the clocks that wait for it count milliseconds."""
    return between(text, 0.001, 3600)


def hold(text: str) -> float:
    return between(text, 0.001, 30 * 86_400)


def warm_up(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else duration(text)


def max_failures(text: str) -> MaxFailures:
    """`N` or `N%`."""
    if not text.endswith("%"):
        return MaxFailures(count=number(text, 0, 2**32))
    share = 0.0 if text in ("0%", "0.0%") else positive(text[:-1]) / 100
    if share > 1:
        raise ArgumentTypeError(f"'{text}' is more than all")
    return MaxFailures(share=share)


def endpoint(text: str) -> Endpoint:
    try:
        return parse_endpoint(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not an IPv4 network such as 198.18.0.0/16: {error}") from None


def scenario(text: str) -> str:
    if text not in SCENARIOS:
        raise ArgumentTypeError(f"there is no scenario '{text}'; there is: {', '.join(SCENARIOS)}")
    return text
