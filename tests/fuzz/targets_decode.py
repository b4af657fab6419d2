"""`mipstorm decode`: nothing that a capture, a message in hexadecimal or a keys file holds makes it raise what it does not say."""
from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network

from rules import BY_SPI, SECRET, must, scratch

import fastcodec as fc
from fastcodec.capture import Frame, LinkType
from loadgen.decode.counts import Counts
from loadgen.decode.event import Event
from loadgen.decode.findings import sorted_out
from loadgen.decode.hexadecimal import octets_of
from loadgen.decode.keys import Keys, read_keys
from loadgen.decode.reader import READERS, Reader
from loadgen.decode.views import as_json, full, one_line
from loadgen.errors import UsageError
from servers import secrets_file
from servers.errors import ConfigurationError

LINKS = (LinkType.RAW, LinkType.ETHERNET, LinkType.LINUX_SLL, LinkType.LINUX_SLL2, LinkType.NULL, LinkType.LOOP, LinkType.IPV4,
         LinkType.IPV6, 147)
KINDS = (None, "ip", *READERS)
HEAD, MOST_FRAMES = 4, 8                     # octets before a frame; frames of an input
MS = 10**6
secrets_file.LARGEST = 1 << 16               # so that the sanitizer need not look after 64 MiB for every file that is read
NETWORKS = [(ip_network(network), SECRET) for network in ("::/0", "0.0.0.0/0")]
UNCHECKED = {"number", "time_ns", "length"}


def keys(reveal: bool) -> Keys:
    made = Keys()
    made.networks, made.for_all, made.reveal = NETWORKS, dict(BY_SPI), reveal
    return made


# ---- frames

def cut_up(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """An input as frames: link, octets that were not captured, length (two octets), octets; the last one takes what is left."""
    at = 0
    for _ in range(MOST_FRAMES):
        if at + HEAD > len(data):
            return
        size = int.from_bytes(data[at + 2:at + HEAD], "big")
        yield data[at], data[at + 1], data[at + HEAD:at + HEAD + size]
        at += HEAD + size


def as_frames(data: bytes) -> Iterator[Frame]:
    for number, (link, missing, octets) in enumerate(cut_up(data), 1):
        yield Frame(number, (1_700_000_000_000 + 5 * number) * MS, LINKS[link % len(LINKS)], octets, len(octets) + missing)


def decode_frames(data: bytes) -> None:
    counts = Counts()
    for number, event in enumerate(Reader(keys(data[:2] != b"\0\0")).events(as_frames(data)), 1):
        must(event.number == number, "frames out of order", event)
        must(event.answers is None or event.answers <= number, "answers what comes later", event)
        counts.add(event)
        shown(event)
    must(counts.exit_code in (0, 5) and str(counts).isprintable(), "counts cannot be shown", counts)


def shown(event: Event) -> None:
    """Every view says something, in characters that a terminal prints, and the JSON holds what the message does."""
    must(one_line(event).isprintable(), "a line that is not printable", event)
    must(all(part.isprintable() for part in full(event).split("\n")), "a view that is not printable", event)
    told = json.loads(as_json(event))
    must(told["number"] == event.number, "another number in JSON", told)
    for name in ("message", "inside"):
        message = getattr(event, name)
        if message is not None:
            plain = json.loads(json.dumps(message.to_dict()))
            must({k: v for k, v in told[name].items() if not k.endswith("_hex")} == plain, "another message in JSON", told, plain)


# ---- one message

def decode_message(data: bytes) -> None:
    """The first octet says what the message is taken for, or that it is to tell itself; the rest is also read as hexadecimal."""
    kind, octets = KINDS[data[0] % len(KINDS)] if data else None, data[1:]
    try:
        for event in Reader(keys(True)).messages([octets], kind):
            shown(event)
            if event.protocol == "mip4" and event.message is not None and not event.source:
                wrong, odd = sorted_out(octets)
                must(set(wrong) <= set(event.faults) and odd == event.remarks, "findings of another message", event)
        must(octets_of(octets.hex()) == octets, "other octets out of hexadecimal", octets)
        octets_of(octets.decode(errors="replace"))
    except UsageError as error:
        must(str(error).isprintable(), "an error that is not printable", str(error))


# ---- keys

def keys_file(data: bytes) -> None:
    """A keys file or testbed document and, behind the first zero octet, the subscribers that it may name."""
    text, _, subscribers = data.partition(b"\0")
    if names_others(text):
        return
    write("keys", text)
    write("nodes.csv", subscribers)
    try:
        found = read_keys(scratch() / "keys")
    except ConfigurationError as error:
        must(str(scratch()) in str(error) and "\n" not in str(error), "an error without its file, or of several lines", str(error))
        return
    for end in ("192.0.2.1", "2001:db8::1", ""):
        found.secret_of(end)
    found.of("mn0001@home.example")
    must(found.any_of_nodes == bool(found.for_all or found.of_node or found.subscribers), "no keys, or some", found)
    Reader(found)


def names_others(text: bytes) -> bool:
    """Whether it names a file of which this machine decides what is in it."""
    try:
        read = tomllib.loads(text.decode()) if text.lstrip()[:1] != b"{" else json.loads(text)
    except (ValueError, RecursionError):
        return False
    named = read.get("subscribers") if isinstance(read, dict) else None
    named = named.get("csv") if isinstance(named, dict) else named
    return isinstance(named, str) and named not in ("", "nodes.csv", "none.csv", "keys")


def write(name: str, octets: bytes) -> None:
    descriptor = os.open(scratch() / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, octets)
    finally:
        os.close(descriptor)


WORDS_OF_KEYS = ("subscribers = ", '"nodes.csv"', "ports = { ", "radius = [", "mip4 = [", "pana = [", "[[radius]]\n", "network = ",
                 '"192.0.2.0/24"', '"2001:db8::/32"', "secret = ", "secret_hex = ", "[[mobile]]\n", "spi = ", "key = ", "nai = ",
                 "algorithm = ", '"hmac-md5"', '"hmac-sha1"', '"hmac-sha256"', '"keyed-md5"', "nai,mn_aaa_spi,mn_aaa_key,access_secret,",
                 '"mipstorm.testbed/1"', "radius_clients", "\\u0000", "\\\\", "0x", "inf", "nan", "1979-05-27")
__all__ = ["decode_frames", "decode_message", "fc", "keys_file"]
