"""The compiled table of subscribers: from columns or row by row the same; what was learnt of a subscriber moves along."""

import time
from dataclasses import replace

import numpy as np
import pytest

from servers.tables.subscribers import SubscriberTable
from servers.tables.subscribers_csv import Octets, Subscribers, generate


def one_by_one(columns: Subscribers) -> SubscriberTable:
    table = SubscriberTable(len(columns), 1000 * len(columns))
    for k in range(len(columns)):
        table.add(columns.nai[k], int(columns.spi[k]), columns.key[k], columns.access_secret[k],
                  columns.classes[columns.class_index[k]])
    return table


def test_classes_and_size() -> None:
    columns = generate(10, classes=("b", "a", "c"))
    table = SubscriberTable.from_columns(columns)
    assert (len(table), table.classes) == (10, ["b", "a", "c"])
    assert table.classes == one_by_one(columns).classes


@pytest.mark.parametrize(("nais", "which"), [([b"a", b"b", b"a"], b"a"), ([b"a" * 254], b"a" * 254)])
def test_rows_that_cannot_be_added(nais: list[bytes], which: bytes) -> None:
    columns = replace(generate(len(nais)), nai=Octets.of(nais))
    with pytest.raises(ValueError, match="subscriber b'" + which.decode() + "' cannot be added"):
        SubscriberTable.from_columns(columns)


def test_a_class_without_a_name() -> None:
    columns = replace(generate(2), class_index=np.array([0, 1], dtype=np.uint16))
    with pytest.raises(ValueError, match="class that has no name"):
        SubscriberTable.from_columns(columns)


def test_more_than_64_classes() -> None:
    with pytest.raises(ValueError, match="64"):
        SubscriberTable.from_columns(generate(65, classes=[f"class-{k}" for k in range(65)]))


def test_memory_and_time_of_many() -> None:
    """At most 200 octets each, and a rate at which a million take seconds at the very most."""
    columns = generate(100_000, realm="a-realm-of-usual-length.example")
    began = time.process_time()
    table = SubscriberTable.from_columns(columns)
    assert time.process_time() - began < 1
    assert table.octets / len(table) <= 200
