"""Requests and their replies in a capture, matched by what their protocol says; bounded in number and in age."""
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple

MOST_REQUESTS = 1 << 16
OLDEST_NS = 60 * 10**9           # a reply after a minute answers nobody


class Request(NamedTuple):
    """A request that was seen: `number` of its frame, what its reply is checked with."""

    number: int
    time_ns: int
    content: Any                 # equal content under one key is a retransmission
    message: Any


class Exchanges:
    """The requests that may still be answered. A retransmission keeps the time of the first."""

    def __init__(self) -> None:
        self._open: OrderedDict[Hashable, Request] = OrderedDict()

    def request(self, key: Hashable, number: int, time_ns: int, content: Any, message: Any) -> Request | None:
        """The request that this one repeats, or None: it is new."""
        known = self._open.get(key)
        if known is not None and known.content == content and abs(time_ns - known.time_ns) <= OLDEST_NS:
            return known
        self._open.pop(key, None)
        self._open[key] = Request(number, time_ns, content, message)
        if len(self._open) > MOST_REQUESTS:
            self._open.popitem(last=False)
        return None

    def reply(self, key: Hashable, time_ns: int) -> Request | None:
        """The request that this one answers, which stays open for a reply sent twice."""
        known = self._open.get(key)
        if known is None or not -OLDEST_NS <= time_ns - known.time_ns <= OLDEST_NS:
            return None
        return known
