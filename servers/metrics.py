"""The counters in Prometheus's text format over HTTP. Needs the `metrics` extra (prometheus-client).

Served from the server's own event loop, not by the library's thread a connection: connections and their memory stay
bounded. Labels are reasons of ours; nothing that came in a packet is among them.
"""
from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from servers.bounded import BoundedServer, Output
from servers.endpoint import Endpoint
from servers.errors import ConfigurationError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PLAIN = {"packets_in": "datagrams received", "packets_out": "datagrams sent",
         "kernel_drops": "times that the kernel found no room in a receive buffer", "cpu_s": "CPU time, seconds"}
UPSTREAM_GAUGES = {"alive": "1: it answers in time", "outstanding": "requests that it owes an answer to"}
UPSTREAM_COUNTERS = {"asked": "requests sent to it, repetitions not counted", "answered": "answers from it",
                     "timed_out": "requests given up at it", "moved_away": "requests that went on to another server",
                     "suspected": "times that it did not answer in time"}


def listen(endpoint: Endpoint) -> socket.socket:
    """ConfigurationError when the address cannot be had or the library is not there."""
    try:
        import prometheus_client  # noqa: F401 - the extra is needed where metrics are configured only
    except ImportError:
        raise ConfigurationError("metrics.listen: needs the package prometheus-client; "
                                 "install it with: pip install 'mipstorm[metrics]'") from None
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((str(endpoint.address), endpoint.port))
        made.listen(16)
    except OSError as error:
        made.close()
        raise ConfigurationError(f"metrics.listen: cannot listen on {endpoint}: {error.strerror}") from None
    return made


class Collector:
    """Turns figures into metric families, each time they are asked for."""

    def __init__(self, figures: Callable[[], dict[str, Any]]) -> None:
        self.figures = figures

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        told = self.figures()
        role = told["role"]
        for name, help_text in PLAIN.items():
            family = CounterMetricFamily(f"mipstorm_{name.replace('cpu_s', 'cpu_seconds')}", help_text, labels=["role"])
            family.add_metric([role], told[name])
            yield family
        memory = GaugeMetricFamily("mipstorm_resident_memory_bytes", "memory in use", labels=["role"])
        memory.add_metric([role], told["rss_bytes"])
        yield memory
        for name, label, help_text in (("replies", "kind", "replies by kind"), ("dropped", "reason", "datagrams dropped"),
                                       ("events", "reason", "what was counted without a datagram being lost")):
            family = CounterMetricFamily(f"mipstorm_{name}", help_text, labels=["role", label])
            for key, count in told[name].items():
                family.add_metric([role, key], count)
            yield family
        yield from upstreams(role, told["upstreams"])
        for name, gauge in told["gauges"].items():
            now = GaugeMetricFamily(f"mipstorm_{name}", name.replace("_", " "), labels=["role"])
            now.add_metric([role], gauge["now"])
            yield now
            most = GaugeMetricFamily(f"mipstorm_{name}_limit", f"most {name.replace('_', ' ')}", labels=["role"])
            most.add_metric([role], gauge["most"])
            yield most


def upstreams(role: str, told: list[dict[str, Any]]) -> Iterator[Metric]:
    """Of the servers that are asked, by their configured addresses."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    if not told:
        return
    for name, help_text in UPSTREAM_GAUGES.items():
        gauge = GaugeMetricFamily(f"mipstorm_upstream_{name}", help_text, labels=["role", "server"])
        for one in told:
            gauge.add_metric([role, one["address"]], float(one[name]))
        yield gauge
    for name, help_text in UPSTREAM_COUNTERS.items():
        family = CounterMetricFamily(f"mipstorm_upstream_{name}", help_text, labels=["role", "server"])
        for one in told:
            family.add_metric([role, one["address"]], one[name])
        yield family


class Metrics(BoundedServer):
    """HTTP just as far as a scrape needs it: GET /metrics, one answer a connection."""

    def __init__(self, listening: socket.socket, figures: Callable[[], dict[str, Any]]) -> None:
        from prometheus_client import CollectorRegistry

        super().__init__(listening, b"\r\n\r\n", self.page)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(Collector(figures))

    @property
    def address(self) -> str:
        return "{}:{}".format(*self.listening.getsockname())

    def page(self, question: bytes) -> Output:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        asked = question.split(b"\r\n", 1)[0].split(b" ")
        if len(asked) != 3 or not asked[2].startswith(b"HTTP/1."):
            return http("400 Bad Request", b"this speaks HTTP\n")
        if asked[0] != b"GET":
            return http("405 Method Not Allowed", b"only GET\n")
        if asked[1].partition(b"?")[0] not in (b"/metrics", b"/"):
            return http("404 Not Found", b"the metrics are at /metrics\n")
        return http("200 OK", generate_latest(self.registry), CONTENT_TYPE_LATEST)


def http(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> Output:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return Output(head.encode() + body, last=True)
