"""Dictionaries in FreeRADIUS's format: what ships, what a user adds, what is refused and where."""
import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary as PyradDictionary

import fastcodec as fc
from fastcodec.dictionary import SHIPPED, Dictionary, default


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
    assert fc.RadiusPacket.decode(data).attributes[0] == ("Attr-26.54321.200", bytes((0, 0, 2, 0)))


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
    ("ATTRIBUTE X 1 string encrypt=4", 1, "unknown flag"), ("ATTRIBUTE X 1 string Nobody", 1, "unknown flag"),
    ("ATTRIBUTE X 1 string[300]", 1, "not within"), ("ATTRIBUTE X 1 string[4", 1, "unknown type"),
    ("ATTRIBUTE X 242.1.1 string", 1, "inside 242.1, which is not known"),
    ("ATTRIBUTE X 1.1 string", 1, "which is no tlv"), ("ATTRIBUTE X 1 struct", 1, "unknown type struct"),
    ("VALUE Service-Type X one", 1, "is no number"), ("\nVALUE Service-Type X 1 2", 2, "VALUE takes 3 to 3 words"),
    ("STRUCT X Y 1", 1, "STRUCT is not supported"), ("MEMBER X byte", 1, "MEMBER is not supported"),
    ("PROTOCOL DHCPv4 2", 1, "only RADIUS"), ("FLAGS strange", 1, "FLAGS strange is not supported"),
    ("VENDOR X 1 format=2,1,c", 1, "is not format="), ("BEGIN-TLV User-Name", 1, "is no tlv"),
    ("BEGIN-VENDOR Microsoft format=User-Name", 1, "extended vendor-specific"),
    ("BEGIN-VENDOR Microsoft sort=Extended-Vendor-Specific-1", 1, "extended vendor-specific"),
    ("BEGIN-VENDOR Microsoft\nATTRIBUTE X 256 string", 2, "not within 0 to 255"),
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


def test_extended_attributes_vendor_spaces_and_dotted_numbers(tmp_path):
    dictionary = fc.load(written(tmp_path, """
VENDOR          Acme            9999
BEGIN-VENDOR    Acme            format=Extended-Vendor-Specific-5
ATTRIBUTE       Acme-Long       1       string
ATTRIBUTE       Acme-Group      2       tlv
BEGIN-TLV       Acme-Group
ATTRIBUTE       Acme-Member     3       integer
END-TLV         Acme-Group
END-VENDOR      Acme
BEGIN-VENDOR    Acme            parent=Extended-Vendor-Specific-1
ATTRIBUTE       Acme-Short      1       string
END-VENDOR      Acme
ATTRIBUTE       Acme-Plain      26.9999.7       ipaddr
ATTRIBUTE       Acme-Dotted     241.26.9999.0x08        ipaddr
"""))
    paths = {name: (a.vendor, a.path) for name, a in dictionary.attributes.items() if name.startswith("Acme")}
    assert paths == {"Acme-Long": (9999, (245, 26, 1)), "Acme-Group": (9999, (245, 26, 2)),
                     "Acme-Member": (9999, (245, 26, 2, 3)), "Acme-Short": (9999, (241, 26, 1)),
                     "Acme-Plain": (9999, (7,)), "Acme-Dotted": (9999, (241, 26, 8))}
    assert dictionary.numbers[9999, 245, 26, 2, 3].name == "Acme-Member"


def test_flags_types_and_old_ways(tmp_path):
    dictionary = fc.load(written(tmp_path, """
PROTOCOL RADIUS 1
BEGIN-PROTOCOL RADIUS
VENDOR Old 7777
ATTRIBUTE\tOld-One\t1 \t octets[16]\tOld\t# by its vendor's name
ATTRIBUTE Old-Two 2 String Old,encrypt=2
ATTRIBUTE Site-List 250 uint16 array
ATTRIBUTE Site-Tagged 251 text has_tag, encrypt=2
ATTRIBUTE Site-Server 3000 integer
FLAGS internal
ATTRIBUTE Site-State 252 uint64
FLAGS !internal
ATTRIBUTE Site-Joined 0xfd octets[1-253] concat,secret
VALUE Site-List "Big" 0x10
END-PROTOCOL RADIUS
"""))
    one = dictionary.attributes.__getitem__
    assert (one("Old-One").vendor, one("Old-One").kind, one("Old-One").size) == (7777, "octets", 16)
    assert (one("Old-Two").vendor, one("Old-Two").kind, one("Old-Two").encrypt) == (7777, "string", 2)
    assert (one("Site-List").kind, one("Site-List").array) == ("short", True)
    assert (one("Site-Tagged").has_tag, one("Site-Tagged").encrypt) == (True, 2)
    assert one("Site-Server").is_internal
    assert one("Site-State").is_internal
    assert (0, 252) not in dictionary.numbers, "what is internal takes no number of the wire"
    assert (one("Site-Joined").number, one("Site-Joined").concat, one("Site-Joined").size) == (253, True, 0)
    assert dictionary.values["Site-List"] == {"Big": 16}


def test_numbers_that_begin_with_a_dot_are_inside_the_attribute_before(tmp_path):
    dictionary = fc.load(written(tmp_path, """\ufeffVENDOR Acme 9999
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Box 1 tlv
ATTRIBUTE Acme-Weight .1 integer
ATTRIBUTE Acme-Side .2 tlv
ATTRIBUTE Acme-Width .2.7 integer
ATTRIBUTE Acme-Lid 3 tlv
BEGIN-TLV Acme-Lid
ATTRIBUTE Acme-Lid-Weight .1 integer
ATTRIBUTE Acme-Lid-Width 2 integer
ATTRIBUTE Acme-Lid-Height .3 integer
END-TLV Acme-Lid
END-VENDOR Acme
ATTRIBUTE Acme-Old 4 octets vendor=Acme
ATTRIBUTE Acme-Key 5 octets vendor=Acme,encrypt=Tunnel-Password
"""))
    paths = {name: (a.vendor, *a.path) for name, a in dictionary.attributes.items() if name.startswith("Acme-")}
    assert paths == {"Acme-Box": (9999, 1), "Acme-Weight": (9999, 1, 1), "Acme-Side": (9999, 1, 2), "Acme-Width": (9999, 1, 2, 7),
                     "Acme-Lid": (9999, 3), "Acme-Lid-Weight": (9999, 3, 1), "Acme-Lid-Width": (9999, 3, 2),
                     "Acme-Lid-Height": (9999, 3, 3), "Acme-Old": (9999, 4), "Acme-Key": (9999, 5)}
    assert dictionary.numbers[9999, 1].name == "Acme-Box"
    assert dictionary.attributes["Acme-Key"].encrypt == 2


@pytest.mark.parametrize("text", ["ATTRIBUTE Site .1 octets", "ATTRIBUTE Site 200 octets\nATTRIBUTE Seat .1 octets",
                                  "ATTRIBUTE Site 200 tlv\nBEGIN-VENDOR Microsoft\nATTRIBUTE Seat .1 octets"])
def test_a_dot_with_nothing_before_it_is_refused(tmp_path, text):
    with pytest.raises(fc.errors.DictionaryError) as refusal:
        fc.load(written(tmp_path, text))
    assert refusal.value.line == text.count("\n") + 1


def test_optional_includes_and_values_before_their_attribute(tmp_path):
    first = written(tmp_path, "$INCLUDE- nowhere\n\nVALUE Site-Mode Fast 1\n", "dictionary.first")
    dictionary = fc.load(first)
    assert str(dictionary.orphans["Site-Mode"]) == f"{first}:3: VALUE for the unknown attribute Site-Mode"
    dictionary.read(written(tmp_path, "ATTRIBUTE Site-Mode 250 integer\nVALUE Site-Mode Slow 2\n", "dictionary.second"))
    assert dictionary.orphans == {}
    assert dictionary.values["Site-Mode"] == {"Fast": 1, "Slow": 2}


FREERADIUS = Path("/usr/share/freeradius")
needs_freeradius = pytest.mark.skipif(not (FREERADIUS / "dictionary").is_file(), reason="freeradius-common is not installed")


@needs_freeradius
def test_every_dictionary_of_freeradius_loads():
    """The main one, and on top of it each one that it leaves out."""
    main = Dictionary().read(FREERADIUS / "dictionary")
    assert not main.orphans
    counts = {}
    for path in sorted(FREERADIUS.glob("dictionary.*")):
        counts[path.name] = len(main.copy().read(path).attributes)
    assert len(counts) > 200
    assert len(main.attributes) > 7000
    assert main.attributes["FreeRADIUS-EAP-FAST-PAC-Opaque-PAC-Type"].path == (186, 11, 2, 10)
    assert main.vendors["WiMAX"].continuation
    assert (main.vendors["USR"].type_size, main.vendors["USR"].length_size) == (4, 0)


@needs_freeradius
def test_freeradius_dictionaries_agree_with_pyrad():
    """Name, number, vendor, type, encryption, tag and named values of all that pyrad can load."""
    compared = 0
    for path in sorted(FREERADIUS.glob("dictionary.*")):
        if path.name.removeprefix("dictionary.") in PYRAD_CANNOT:
            continue
        theirs, ours = PyradDictionary(str(path)), Dictionary().read(path)
        for name, attribute in theirs.attributes.items():
            mine = ours.attributes[name]
            assert (mine.path[-1], mine.encrypt, mine.has_tag) == (attribute.code, attribute.encrypt, attribute.has_tag)
            assert mine.kind == attribute.type
            assert mine.vendor == (theirs.vendors.GetForward(attribute.vendor) if attribute.vendor else 0)
            assert len(ours.values.get(name, {})) >= len(attribute.values)
            compared += 1
    assert compared > 6000


PYRAD_CANNOT = {"freeradius.evs5", "juniper", "rfc7499", "rfc7930", "rfc8045", "rfc8559"}


def test_a_file_that_is_not_there():
    with pytest.raises(fc.DictionaryError, match="cannot be read"):
        fc.load(Path("/nowhere/dictionary"))


TOKENS = (
    "ATTRIBUTE VALUE VENDOR BEGIN-VENDOR END-VENDOR BEGIN-TLV END-TLV $INCLUDE $INCLUDE- FLAGS PROTOCOL User-Name Class Microsoft "
    "mipstorm IPv6-6rd-Configuration 1 255 256 0x1f -1 1.1 241.1 26.9.1 241.26.9.1 . string octets[4] octets[ tlv evs integer has_tag "
    "encrypt=2 format=1,1,c format=4,0 parent=Extended-Vendor-Specific-1 format= # internal dictionary.user \u2028 \udcff \0")
WORDS = st.sampled_from(TOKENS.split(" "))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=6), max_size=8))
def test_any_file_loads_or_is_refused_with_its_line(tmp_path, lines):
    path = tmp_path / "dictionary.user"
    path.write_bytes("\n".join(" ".join(words) for words in lines).encode("utf-8", "surrogatepass"))
    try:
        dictionary = fc.load(path)
    except fc.DictionaryError as error:
        refusal = error
    else:
        assert len(dictionary.attributes) >= len(default().attributes)
        with contextlib.suppress(fc.LocalError):      # one of our slots can be moved to where we cannot follow
            fc.configure(dictionary)
        fc.configure()
        return
    assert refusal.path.startswith(str(tmp_path))
    assert 0 <= refusal.line <= path.read_bytes().count(b"\n") + 1


@pytest.mark.parametrize("text", ["ATTRIBUTE Class 241.9 octets", "ATTRIBUTE Class 3000 octets", "VENDOR mipstorm 32473 format=2,1",
                                  "BEGIN-VENDOR Microsoft\nATTRIBUTE Class 25 octets\nEND-VENDOR Microsoft"])
def test_slots_stay_where_the_servers_can_read_them(tmp_path, text):
    dictionary = fc.load(written(tmp_path, text))
    with pytest.raises(fc.LocalError):
        fc.configure(dictionary)
    fc.configure()
    assert fc.RadiusPacket.decode(fc.RadiusPacket(1, 1, bytes(16), [("Class", b"x")]).encode()).attributes["Class"] == b"x"


@needs_freeradius
def test_values_of_the_rfcs_have_names():
    """What FreeRADIUS knows of the RFCs whose dictionaries ship; of a number with two names one will do."""
    named = 0
    for path in sorted(SHIPPED.glob("dictionary.rfc*")):
        theirs = Dictionary()
        with contextlib.suppress(fc.DictionaryError):
            theirs.read(FREERADIUS / path.name)
        for attribute, values in theirs.values.items():
            numbers = set(default().values.get(attribute, {}).values())
            assert {name: n for name, n in values.items() if n not in numbers} in ({}, *BEYOND_THE_RFC), attribute
            named += len(values)
    assert named > 150


BEYOND_THE_RFC = ({"Manage-Resources": 2},)
