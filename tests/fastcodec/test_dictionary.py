"""Dictionaries in FreeRADIUS's format: what ships, what a user adds, what is refused and where."""
from pathlib import Path

import pytest
from pyrad.dictionary import Dictionary as PyradDictionary

import fastcodec as fc
from fastcodec.dictionary import SHIPPED, default


@pytest.fixture
def configured():
    """Puts the shipped dictionary back after a test that changed the process's."""
    yield fc.configure
    fc.configure()


def written(folder, text, name="dictionary.user"):
    path = folder / name
    path.write_text(text)
    return path


def test_shipped_files_are_all_included_and_agree_with_pyrad():
    included = {line.split()[1] for line in (SHIPPED / "dictionary").read_text().splitlines() if line.startswith("$")}
    assert included | {"dictionary"} == {path.name for path in SHIPPED.iterdir()}
    for name in ("dictionary.rfc2865", "dictionary.mipstorm"):
        for attribute in PyradDictionary(str(SHIPPED / name)).attributes.values():
            ours = default().attributes[attribute.name]
            assert ours.number == attribute.code
            assert ours.encrypt == attribute.encrypt
            assert bool(ours.vendor) == bool(attribute.vendor)


def test_begin_vendor_is_respected(tmp_path):
    """RFC 4679's 129-144 are the ADSL Forum's: without BEGIN-VENDOR they would bury RFC 5580's."""
    dictionary = fc.load(written(tmp_path, """
VENDOR          ADSL-Forum      3561
BEGIN-VENDOR    ADSL-Forum
ATTRIBUTE       Actual-Data-Rate-Upstream       129     integer
END-VENDOR      ADSL-Forum
"""))
    assert dictionary.numbers[0, 129].name == "Basic-Location-Policy-Rules"
    assert dictionary.numbers[3561, 129].name == "Actual-Data-Rate-Upstream"
    assert "Actual-Data-Rate-Upstream" not in default().attributes, "the shipped one stays as it is"


def test_user_attributes_and_values_are_used(tmp_path, configured):
    configured(fc.load(written(tmp_path, """
VENDOR Acme 9999            # a comment behind a statement
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Colour 7 integer
VALUE Acme-Colour Red 0x10
END-VENDOR Acme
""")))
    packet = fc.RadiusPacket(1, 1, bytes(16), [("Acme-Colour", "Red")])
    assert packet.encode()[20:].hex() == "1a0c0000270f070600000010"
    assert list(fc.RadiusPacket.decode(packet.encode()).attributes) == [("Acme-Colour", 16)]


def test_vendor_and_numbers_of_our_own_attributes_may_change(tmp_path, configured):
    """Slots follow the dictionary: one VENDOR line moves them all, an ATTRIBUTE line moves one."""
    configured(fc.load(written(tmp_path, """
VENDOR mipstorm 54321
BEGIN-VENDOR mipstorm
ATTRIBUTE Mipstorm-AAA-SPI 200 integer
END-VENDOR mipstorm
""")))
    data = fc.RadiusPacket(2, 1, bytes(16), [("Mipstorm-AAA-SPI", 512), ("Mipstorm-FHA-FQDN", "fha.example")]).encode()
    assert data[20:].hex().startswith("1a0c0000d431c806000002001a")
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket.decode(data), 2)
    assert batch.value(fc.Slot.AAA_SPI).tolist() == [[0, 0, 2, 0]] * 2
    assert batch.value(fc.Slot.FHA_FQDN)[0].tobytes() == b"fha.example"
    fc.configure()
    assert fc.RadiusPacket.decode(data).attributes[0][0] == "Attr-26"


def test_includes_are_relative_to_the_file(tmp_path):
    (tmp_path / "more").mkdir()
    written(tmp_path / "more", "ATTRIBUTE Site-Note 250 string\n", "dictionary.site")
    dictionary = fc.load(written(tmp_path, "$INCLUDE more/dictionary.site\n"))
    assert dictionary.numbers[0, 250].name == "Site-Note"


def test_tlv_and_dotted_numbers_do_not_take_a_standard_number(tmp_path):
    dictionary = fc.load(written(tmp_path, """
ATTRIBUTE Site-Group 251 tlv
BEGIN-TLV Site-Group
ATTRIBUTE Site-Member 1 string
END-TLV Site-Group
ATTRIBUTE Site-Other 251.2 integer
"""))
    assert dictionary.attributes["Site-Member"].path == (251, 1)
    assert dictionary.attributes["Site-Other"].path == (251, 2)
    assert dictionary.numbers[0, 1].name == "User-Name"
    assert dictionary.numbers[0, 251].name == "Site-Group"


@pytest.mark.parametrize(("text", "line", "reason"), [
    ("ATRIBUTE X 1 string", 1, "unknown keyword"), ("\n\nATTRIBUTE X 1", 3, "takes 3 to 4 words"),
    ("ATTRIBUTE X 256 string", 1, "not within 1 to 255"), ("ATTRIBUTE X 0 string", 1, "not within 1 to 255"),
    ("ATTRIBUTE X one string", 1, "is no number"), ("ATTRIBUTE X 1 strong", 1, "unknown type"),
    ("ATTRIBUTE X 1 string encrypt=4", 1, "unknown flag"), ("ATTRIBUTE X 1 string Microsoft", 1, "BEGIN-VENDOR"),
    ("VALUE No-Such X 1", 1, "unknown attribute"), ("VALUE Service-Type X one", 1, "is no number"),
    ("BEGIN-VENDOR Nobody", 1, "unknown vendor"), ("END-VENDOR Microsoft", 1, "without its BEGIN-VENDOR"),
    ("# one\nBEGIN-VENDOR Microsoft", 2, "without its END-VENDOR"), ("VENDOR X 1 format=3,1", 1, "is not format=T,L"),
    ("VENDOR X 4294967296", 1, "not within"), ("$INCLUDE nowhere", 1, "does not exist"),
    ("$INCLUDE dictionary.user", 1, "includes itself"), ("BEGIN-TLV No-Such", 1, "unknown attribute"),
    ("END-TLV Class", 1, "without its BEGIN-TLV"), ("BEGIN-TLV IPv6-6rd-Configuration", 1, "without its END-TLV"),
    ("BEGIN-VENDOR Microsoft\nBEGIN-VENDOR mipstorm", 2, "inside that of Microsoft")])
def test_errors_name_file_and_line(tmp_path, text, line, reason):
    path = written(tmp_path, text)
    with pytest.raises(fc.DictionaryError, match=reason) as refusal:
        fc.load(path)
    assert (refusal.value.path, refusal.value.line) == (str(path), line)
    assert str(refusal.value).startswith(f"{path}:{line}: ")


def test_a_file_that_is_not_there():
    with pytest.raises(fc.DictionaryError, match="cannot be read"):
        fc.load(Path("/nowhere/dictionary"))
