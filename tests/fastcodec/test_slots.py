"""What the roles use of RADIUS: values by slot, every occurrence, and the writer."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec import radius

HEAD = bytes((1, 1))
VENDOR = (32473).to_bytes(4, "big")


def packet(body):
    return HEAD + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body


def test_every_slot_has_a_name_in_the_dictionary():
    assert set(radius.SLOT_NAMES) == set(fc.Slot) - {fc.Slot.NO_SLOT, fc.Slot.SLOTS}
    for slot, name in radius.SLOT_NAMES.items():
        data = packet(radius.attribute(slot, b"abcd"))
        shown = fc.RadiusPacket.decode(data).attributes[0][0]
        assert shown == name or shown.startswith("Attr-"), "four octets are no value of every type"
        assert radius.occurrences(data, slot) == [b"abcd"]


@given(st.lists(st.tuples(st.sampled_from([fc.Slot.CLASS, fc.Slot.PROXY_STATE, fc.Slot.MN_AAA_DATA,
                                           fc.Slot.FHA_IP_ADDRESS]), st.binary(min_size=1, max_size=40)), max_size=30))
def test_occurrences_come_in_order(items):
    data = packet(b"".join(radius.attribute(slot, value) for slot, value in items))
    for slot in (fc.Slot.CLASS, fc.Slot.PROXY_STATE, fc.Slot.MN_AAA_DATA, fc.Slot.FHA_IP_ADDRESS):
        assert radius.occurrences(data, slot) == [value for s, value in items if s == slot]


def test_several_sub_attributes_in_one_vendor_specific():
    inside = b"\x15\3a\x02\6\1\2\3\4\x15\3b"
    data = packet(bytes((26, 6 + len(inside))) + VENDOR + inside + radius.attribute(fc.Slot.MN_AAA_DATA, b"c"))
    assert radius.occurrences(data, fc.Slot.MN_AAA_DATA) == [b"a", b"b", b"c"]
    assert radius.occurrences(data, fc.Slot.FHA_IP_ADDRESS) == [b"\1\2\3\4"]


@pytest.mark.parametrize("inside", [b"", b"\x15", b"\x15\0", b"\x15\1", b"\x15\4a", b"\x15\3ab", b"\x15\3a\x15\3"])
def test_vendor_specific_that_does_not_add_up_is_opaque(inside):
    bad = bytes((26, 6 + len(inside))) + VENDOR + inside
    good = radius.attribute(fc.Slot.MN_AAA_DATA, b"good")
    assert radius.occurrences(packet(bad + good + bad), fc.Slot.MN_AAA_DATA) == [b"good"]
    assert fc.RadiusPacket.decode(packet(bad + good)).attributes[0] == ("Attr-26", VENDOR + inside)


@pytest.mark.parametrize(("slot", "most"), [(fc.Slot.CLASS, 253), (fc.Slot.MN_AAA_DATA, 247)])
def test_writer_refuses_what_does_not_fit(slot, most):
    assert radius.attribute(slot, b"") is None
    assert radius.attribute(slot, bytes(most + 1)) is None
    assert len(radius.attribute(slot, bytes(most))) == 255


def test_other_vendors_and_types_have_no_slot():
    data = packet(bytes((26, 9)) + (311).to_bytes(4, "big") + b"\x15\3a" + b"\xfa\3x")
    assert all(not radius.occurrences(data, slot) for slot in radius.SLOT_NAMES)
