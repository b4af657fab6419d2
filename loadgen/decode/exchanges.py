"""Requests and their replies in a capture, matched by what their protocol says; bounded in number and in age."""
from collections import OrderedDict
from typing import Any

import msgspec

from loadgen.decode.event import Event

MOST_REQUESTS = 1 << 16
OLDEST_NS = 60 * 10**9           # a reply after a minute answers nobody


class Request(msgspec.Struct, frozen=True, gc=False):
    """A request that was seen: `number` of its frame, what its reply is checked with. It keeps no message, however long."""

    number: int
    time_ns: int
    content: Any                 # equal content under one key is a retransmission
    message: Any


class Exchanges:
    """The requests that may still be answered. A retransmission keeps the time of the first."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[Any, ...], Request] = OrderedDict()

    def request(self, event: Event, key: tuple[Any, ...], content: Any, message: Any) -> None:
        """`key` is what request and reply have in common, beside the ends; `message` is what `reply` gives."""
        self.open((*key, event.source, event.source_port, event.destination, event.destination_port), event, content, message)

    def open(self, key: tuple[Any, ...], event: Event, content: Any, message: Any) -> None:
        """The same where the ends of a reply are not those of its request the other way round: `key` is all they have in common."""
        known = self._open.pop(key, None)
        if known is not None and known.content == content and abs(event.time_ns - known.time_ns) <= OLDEST_NS:
            event.repeats = known.number
            self._open[key] = known
            return
        self._open[key] = Request(event.number, event.time_ns, content, message)
        if len(self._open) > MOST_REQUESTS:
            self._open.popitem(last=False)

    def reply(self, event: Event, key: tuple[Any, ...]) -> Request | None:
        """The request that this one answers, which stays open for a reply sent twice."""
        return self.close((*key, event.destination, event.destination_port, event.source, event.source_port), event)

    def close(self, key: tuple[Any, ...], event: Event) -> Request | None:
        """The same for what was opened so."""
        known = self._open.get(key)
        if known is None or not -OLDEST_NS <= event.time_ns - known.time_ns <= OLDEST_NS:
            return None
        event.answers, event.latency_ns = known.number, event.time_ns - known.time_ns
        return known
