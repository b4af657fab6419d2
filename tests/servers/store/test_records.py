"""What a damaged or torn file is taken for: every cut, every flipped bit; nothing durable is skipped in silence."""
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.store import image
from servers.store.errors import Damaged, WrongFormat
from servers.store.journal import JournalWriter
from servers.store.records import Records, RecordWriter

IDENTITY = "pool 198.18.0.0/16"
PAGE = 4096


def write_journal(path, groups, close=True):
    """Each group durable before the next is appended, as at low load."""
    file, header = image.create(path, image.JOURNAL, IDENTITY, 1, 1 << 16)
    image.publish(path)
    writer = JournalWriter(1 << 17, 1 << 16)
    writer.use(file, header.nonce, 1, PAGE + (1 << 16))
    for group in groups:
        tickets = [writer.append(row, 1) for row in group]
        assert writer.wait(tickets[-1])
    octets = writer.file_octets
    if close:
        writer.close()
        octets = writer.file_octets
    else:
        del writer
    file.truncate(octets + 64)                         # some zeros that were set aside
    file.close()
    return octets


def load(path, accept_loss=False, complete=False, kind=image.JOURNAL):
    with path.open("rb") as file:
        header = image.read_header(file, path, kind, IDENTITY)
        records = Records(file, path, header.nonce, header.sequence, complete, accept_loss)
        return [row for _, row in records], records


def altered(path, change):
    """A copy of the file after `change(bytearray)`."""
    copy = path.with_name("altered")
    octets = bytearray(path.read_bytes())
    change(octets)
    copy.write_bytes(octets)
    return copy


ROWS = [bytes([k]) * (30 + 11 * k % 97) for k in range(40)]


def test_a_tail_torn_at_every_octet_of_the_last_record_is_dropped_and_counted(tmp_path):
    end = write_journal(tmp_path / "j", [[row] for row in ROWS], close=False)
    last = 32 + (len(ROWS[-1]) + 7) // 8 * 8
    for cut in range(1, last):
        def tear(octets, cut=cut):
            octets[end - cut:] = bytes(len(octets) - (end - cut))
        torn = altered(tmp_path / "j", tear)
        rows, records = load(torn)
        whole = cut <= last - 32 - len(ROWS[-1])       # only padding is gone
        assert rows == (ROWS if whole else ROWS[:-1]), cut
        assert whole or 0 < records.dropped_octets <= last - cut
        assert not records.closed
        torn.write_bytes((tmp_path / "j").read_bytes()[:end - cut])        # the file itself ends there
        rows, records = load(torn)
        assert rows == ROWS[:-1]
        assert records.lost == 0


def test_every_flipped_bit_is_noticed_or_changes_nothing(tmp_path):
    end = write_journal(tmp_path / "j", [ROWS[k:k + 4] for k in range(0, 40, 4)])
    assert end > 2 * PAGE
    closing = end - 32
    refused = 0
    for at in [*range(0, PAGE, 7), *range(PAGE, end)]:
        def flip(octets, at=at):
            octets[at] ^= 1 << at % 8
        broken = altered(tmp_path / "j", flip)
        if at < PAGE:
            with pytest.raises(WrongFormat):
                load(broken)
        elif at < closing:
            with pytest.raises(Damaged) as caught:
                load(broken)
            assert caught.value.offset <= at < caught.value.offset + 200
            assert str(caught.value.offset) in str(caught.value)
            refused += 1
        else:                                          # the closing mark itself: no row is touched, the tail is counted
            rows, records = load(broken)
            assert rows == ROWS
            assert records.dropped_octets > 0
    assert refused == closing - PAGE


def test_without_a_good_end_only_the_last_group_can_be_taken_for_torn_and_it_is_counted(tmp_path):
    groups = [ROWS[k:k + 4] for k in range(0, 40, 4)]
    end = write_journal(tmp_path / "j", groups, close=False)
    last_group = end - sum(32 + (len(row) + 7) // 8 * 8 for row in groups[-1])
    for at in range(PAGE, end, 3):
        def flip(octets, at=at):
            octets[at] ^= 0x80
        broken = altered(tmp_path / "j", flip)
        if at < last_group:
            with pytest.raises(Damaged):
                load(broken)
        else:
            rows, records = load(broken)
            assert rows == ROWS[:len(rows)]
            assert len(rows) >= len(ROWS) - 4
            assert records.dropped_octets > 0


def test_a_group_torn_in_its_middle_is_dropped_with_its_whole_later_records(tmp_path):
    """The disk may keep the last page of an unsynced write and lose the first."""
    end = write_journal(tmp_path / "j", [ROWS[:20], ROWS[20:]], close=False)
    second = end - sum(32 + (len(row) + 7) // 8 * 8 for row in ROWS[20:])
    def lose(octets):
        octets[second:second + 40] = bytes(40)
    rows, records = load(altered(tmp_path / "j", lose))
    assert rows == ROWS[:20]
    assert records.dropped_records == 19
    assert records.lost == 0


def test_accepted_loss_goes_on_behind_the_hole_and_counts(tmp_path):
    write_journal(tmp_path / "j", [[row] for row in ROWS])
    at = PAGE + sum(32 + (len(row) + 7) // 8 * 8 for row in ROWS[:10]) + 33
    def wipe(octets):
        octets[at:at + 300] = b"\xa5" * 300
    rows, records = load(altered(tmp_path / "j", wipe), accept_loss=True)
    assert rows == ROWS[:10] + ROWS[10 + records.lost:]
    assert 2 <= records.lost <= 8
    assert records.closed


def test_records_that_change_places_are_damage(tmp_path):
    rows = [bytes([k]) * 40 for k in range(8)]
    write_journal(tmp_path / "j", [[row] for row in rows])
    def exchange(octets):
        a, b = PAGE + 2 * 72, PAGE + 4 * 72
        octets[a:a + 72], octets[b:b + 72] = octets[b:b + 72], octets[a:a + 72]
    with pytest.raises(Damaged):
        load(altered(tmp_path / "j", exchange))


def test_records_of_another_file_do_not_pass(tmp_path):
    end = write_journal(tmp_path / "j", [[row] for row in ROWS])
    write_journal(tmp_path / "other", [[row] for row in ROWS])
    strange = (tmp_path / "other").read_bytes()
    def mix(octets):
        octets[PAGE:end] = strange[PAGE:end]
    rows, records = load(altered(tmp_path / "j", mix))
    assert rows == []
    assert records.dropped_octets > end - PAGE - 8     # the last record ends in a few zeros


@pytest.mark.parametrize(("change", "says"), [
    (lambda o: o.__setitem__(slice(0, 8), b"whatever"), "not a file of a mipstorm store"),
    (lambda o: o.__setitem__(8, 2), "format version 2"),
    (lambda o: o.__setitem__(40, 0), "header page is damaged"),
    (lambda o: o.__delitem__(slice(100, None)), "not a file of a mipstorm store"),
    (lambda o: o.clear(), "not a file of a mipstorm store")])
def test_a_file_that_is_none_of_ours_is_named(tmp_path, change, says):
    write_journal(tmp_path / "j", [ROWS])
    with pytest.raises(WrongFormat, match=says):
        load(altered(tmp_path / "j", change))


def test_another_owner_and_another_kind_are_refused(tmp_path):
    write_journal(tmp_path / "j", [ROWS])
    with (tmp_path / "j").open("rb") as file, pytest.raises(WrongFormat, match=r"pool 198\.18\.0\.0/16.*pool 10"):
        image.read_header(file, tmp_path / "j", image.JOURNAL, "pool 10.0.0.0/8")
    with pytest.raises(WrongFormat, match="other kind"):
        load(tmp_path / "j", kind=image.IMAGE)


def write_image(path, rows):
    file, header = image.create(path, image.IMAGE, IDENTITY, 1)
    writer = RecordWriter(file, header.nonce, 1)
    writer.add_all(rows)
    writer.finish()
    file.close()
    image.publish(path)


@given(rows=st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=3000)), max_size=40))
def test_an_image_gives_back_what_was_put_in(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("image") / "i"
    write_image(path, rows)
    with path.open("rb") as file:
        header = image.read_header(file, path, image.IMAGE, IDENTITY)
        records = Records(file, path, header.nonce, 1, complete=True)
        assert list(records) == rows
        assert records.closed


def test_an_image_larger_than_the_buffer(tmp_path):
    rows = [(1, bytes([k % 251]) * 60_000) for k in range(100)]
    write_image(tmp_path / "i", rows)
    assert load(tmp_path / "i", complete=True, kind=image.IMAGE)[0] == [row for _, row in rows]


def test_an_image_cut_anywhere_is_damage(tmp_path):
    write_image(tmp_path / "i", [(1, row) for row in ROWS])
    whole = (tmp_path / "i").read_bytes()
    for cut in range(1, len(whole) - PAGE, 5):
        (tmp_path / "cut").write_bytes(whole[:-cut])
        with pytest.raises(Damaged):
            load(tmp_path / "cut", complete=True, kind=image.IMAGE)
    shutil.copy(tmp_path / "i", tmp_path / "cut")
    assert load(tmp_path / "cut", complete=True, kind=image.IMAGE)[0] == ROWS


@pytest.mark.parametrize(("payload", "kind"), [(bytes(65_537), 1), (b"", 0)])
def test_an_image_takes_no_record_that_could_not_be_read(tmp_path, payload, kind):
    file, header = image.create(tmp_path / "i", image.IMAGE, IDENTITY, 1)
    with pytest.raises(ValueError):
        RecordWriter(file, header.nonce, 1).add(payload, kind)
    file.close()
