"""Batches: each row has the status that its single message is refused with, alone and in company."""
from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any

import numpy as np
from rules import BY_SPI, KEY, SECRET, must

import fastcodec as fc
from fastcodec import DecodeError, Secret
from fastcodec.registration import pieces_of
from fastcodec.registration_batch import COLUMNS
from fastcodec.rows import Rows

# ---- batches ---------------------------------------------------------------------------------------------------------

ROWS = 4                                    # enough for lanes; the last one ends where the memory ends
KEYS, ALONE, ONE = fc.KeyTable(BY_SPI), fc.SecretArray([KEY, Secret(b"k", "keyed-md5")]), fc.SecretArray([KEY])
SECRETS, REQUESTS, ALTERNATING = fc.SecretArray([SECRET]), np.zeros((ROWS, 16), np.uint8), np.arange(ROWS) % 2
HERE, THERE = (np.tile(np.frombuffer(IPv6Address(address).packed, np.uint8), (ROWS, 1)) for address in ("2001:db8::1", "2001:db8::2"))
SHARES = np.arange(1, ROWS + 1)


def rows(data: bytes) -> tuple[Any, Any]:
    """The datagram and its beginnings as rows; the datagram last, so that nothing of ours lies behind it."""
    octets = np.zeros((ROWS, max(1, len(data))), np.uint8)
    lengths = (len(data) * SHARES // ROWS).astype(np.uint32)
    given = np.frombuffer(data, np.uint8)
    for k, length in enumerate(lengths.tolist()):
        octets[k, :length] = given[:length]
    return octets, lengths


def agree(batch: Rows, decode: Callable[[bytes], Any]) -> None:
    """A row is OK just when its single message decodes, and has the status that the refusal has."""
    for row in range(len(batch)):
        try:
            decode(batch.datagram(row))
            status = 0
        except DecodeError as error:
            status = error.status
        must(status == batch.status[row], "statuses differ", batch.datagram(row).hex(), status, int(batch.status[row]))


def as_walked_alone(data: bytes, kind: int) -> None:
    """Rows that nearly look like their neighbours are told apart: each has the places that its single message has."""
    changed = bytearray(data)
    changed[-1 - data[-1] % len(data)] ^= 1 << data[0] % 8
    octets = np.frombuffer(data + changed + data, np.uint8).reshape(3, len(data)).copy()
    batch = fc.RegistrationBatch(octets, np.full(3, len(data), np.uint32), kind)
    batch.walk()
    agree(batch, CLASSES[kind].decode)
    for row in range(3):
        places, found = places_of(batch.datagram(row)) if batch.status[row] == 0 else (NOWHERE, batch.found[row])
        seen = list(zip(batch.offsets[row].tolist(), batch.sizes[row].tolist(), strict=True))
        must((seen, batch.found[row]) == (places, found), "other places", row, octets, seen, places)


NOWHERE = [(0, 0)] * len(COLUMNS)


def places_of(datagram: bytes) -> tuple[list[tuple[int, int]], int]:
    """Offset and length of the first extension for each column, as the walk of the single message has them; how many there are."""
    pieces = pieces_of(datagram)[1]
    first: dict[tuple[int, int], tuple[int, int]] = {}
    for kind, subtype, _, start, end in pieces:
        first.setdefault((kind, subtype), (start, end - start))
    return [first.get(identity, (0, 0)) for identity in COLUMNS.values()], len(pieces)


def inside(index: Any, lengths: Any, data: bytes) -> None:
    """Every extension lies in its row."""
    entries = index.entries
    ends = entries["offset"].astype(int) + entries["length"]
    must(bool((ends <= lengths[entries["row"]]).all()), "an extension beyond its row", data)


CLASSES: dict[int, Any] = {1: fc.RegistrationRequest, 3: fc.RegistrationReply, 4: fc.TunnelData, 7: fc.RegistrationRevocation,
                           15: fc.RevocationAcknowledgment, 22: fc.GenericNotification, 23: fc.NotificationAcknowledgment}


def registration_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    kind = data[0] if data and data[0] in CLASSES else 1
    if data:
        as_walked_alone(data, kind)
    batch = fc.RegistrationBatch(octets, lengths, kind)
    batch.walk()
    agree(batch, CLASSES[kind].decode)
    inside(batch.index(), lengths, data)
    for authenticator in (("mn_aaa", "mn_ha"), ("mn_fa", "fa_ha"))[len(data) % 2]:
        batch.walk()
        batch.verify(KEYS, authenticator=authenticator)
        batch.walk()
        batch.sign(ALONE, ALTERNATING, authenticator)
        batch.verify(ALONE, ALTERNATING, authenticator)


def radius_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    batch = fc.RadiusBatch(octets, lengths)
    batch.walk()
    agree(batch, fc.RadiusPacket.decode)
    index = batch.index()
    must(bool((index["offset"] + index["size"].astype(int) <= lengths[index["row"]]).all()), "an attribute beyond its row", data)
    look = len(data) % 4              # each of them indexes all rows
    batch.column("NAS-Port") if look == 3 else batch.places(("User-Name", "NAS-IP-Address", "EAP-Message")[look])
    batch.verify(SECRETS, requests=REQUESTS, require=False)
    batch.walk()
    signed_rows(batch)


def signed_rows(batch: fc.RadiusBatch) -> None:
    """What was signed as a request is right as one."""
    done = batch.sign(SECRETS) == 0
    batch.walk()
    asked = batch.octets[:, 0] == 1 if batch.octets.shape[1] else done
    right = batch.verify(SECRETS, require=False) == 0
    must(bool(right[done & asked].all()), "signed and not authentic", batch.datagrams(), done, right)


def mobility_batch(data: bytes) -> None:
    octets, lengths = rows(data)
    kind = data[2] if len(data) > 2 and data[2] in (5, 6) else 5
    batch = fc.MobilityBatch(octets, lengths, kind)
    batch.walk()
    agree(batch, (fc.BindingUpdate if kind == 5 else fc.BindingAcknowledgement).decode)
    inside(batch.index(), lengths, data)
    batch.verify_checksums(HERE, THERE)
    for authenticator in ("mn_ha", "mn_aaa"):
        batch.walk()
        batch.verify(KEYS, HERE, THERE, authenticator=authenticator)
        batch.walk()
        batch.sign(ONE, HERE, authenticator=authenticator)
    batch.walk()
    batch.fill_checksums(HERE, THERE)
    must(not (batch.status == 0)[batch.verify_checksums(HERE, THERE) != 0].any(), "checksums filled in wrong", data)


def agent_batch(data: bytes) -> None:
    """Checksums written, what was well-formed but for its checksum is an advertisement; and rows agree before and after."""
    octets, lengths = rows(data)
    batch = fc.AgentBatch(octets, lengths)
    batch.walk()
    agree(batch, fc.AgentAdvertisement.decode)
    inside(batch.index(), lengths, data)
    before = batch.status.copy()
    batch.sum_up()
    batch.walk()
    agree(batch, fc.AgentAdvertisement.decode)
    inside(batch.index(), lengths, data)
    must(not (batch.status == fc.Status.BAD_CHECKSUM).any(), "checksums filled in wrong", data)
    must(not batch.status[before == 0].any(), "no longer well-formed", data)
    for view in ("fixed", "mobility_agent"):
        try:
            getattr(batch, view)
        except fc.EncodeError as error:
            must(bool(str(error)), "a refusal says nothing", error)
