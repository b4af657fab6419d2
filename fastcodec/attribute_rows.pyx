"""The dictionary compiled for single packets: rows by name, by standard number, by vendor and number."""
from fastcodec import radius
from fastcodec.dictionary import Dictionary, default
from fastcodec.sections import SECTIONS
from fastcodec.wants import wants

cdef dict TYPES = {"string": AS_TEXT, "integer": AS_NUMBER4, "date": AS_NUMBER4, "integer64": AS_NUMBER8,
                   "short": AS_NUMBER2, "byte": AS_NUMBER1, "bool": AS_NUMBER1, "signed": AS_SIGNED, "ipaddr": AS_IPV4,
                   "ipv6addr": AS_IPV6, "ipv4prefix": AS_PREFIX4, "ipv6prefix": AS_PREFIX6, "ifid": AS_IFID,
                   "ether": AS_ETHER, "combo-ip": AS_COMBO, "tlv": AS_TLV, "extended": AS_EXTENDED,
                   "long-extended": AS_LONG_EXTENDED, "evs": AS_EVS}
WIDTH[:] = [0, 0, 1, 2, 4, 8, 4, 4, 16, 6, 0, 8, 6, 0, 0, 0, 0, 0]
STANDARD = [None] * 256
SPACES = {}
NAMES = {}


cdef class Space:
    def __cinit__(self, vendor):
        self.vendor, self.type_size, self.length_size = vendor.number, vendor.type_size, vendor.length_size
        self.continuation = vendor.continuation
        self.head = self.type_size + self.length_size + self.continuation
        self.plain = self.type_size == 1 and self.length_size == 1 and not self.continuation
        self.rows = {}


cdef class Row:
    def __cinit__(self, attribute, dict values):
        self.name, self.number, self.vendor = attribute.name, attribute.path[len(attribute.path) - 1], attribute.vendor
        self.outer = attribute.path[0]
        self.kind = TYPES.get(attribute.kind, AS_OCTETS)
        self.size = attribute.size or WIDTH[self.kind]
        self.has_tag, self.concat, self.encrypt = attribute.has_tag, attribute.concat, attribute.encrypt
        self.array, self.values, self.children = attribute.array, values, {}
        self.may_be_empty = attribute.name == "EAP-Message"
        self.place = NOWHERE

    cdef int settle(self, int place, Row outer) except -1:
        """Its place is known, and with it its number in dots, and whether the short way will do."""
        self.place = place
        if outer is None:
            self.number_path = f"26.{self.vendor}.{self.number}" if place == VENDOR_SPACE else str(self.number)
        elif outer.kind == AS_EVS:
            self.number_path = f"{outer.number_path}.{self.vendor}.{self.number}"
        else:
            self.number_path = f"{outer.number_path}.{self.number}"
        self.plain = (self.kind < AS_TLV and not (self.concat or self.array or self.encrypt or self.has_tag)
                      and (place == STANDARD_SPACE or (place == VENDOR_SPACE and self.space.plain)))
        return 0


cdef object _key(attribute):
    return (attribute.vendor, *attribute.path)


cdef bint _put(Row row, attribute, dict known) except -1:
    """Into the table or the row that holds it; false when there is none, as for what is a server's own."""
    cdef Row outer
    cdef tuple path = attribute.path
    if len(path) == 1 and attribute.vendor == 0:
        row.settle(STANDARD_SPACE, None)
        STANDARD[row.number] = row
        return True
    if len(path) == 1:
        row.space = <Space> SPACES.get(attribute.vendor)
        if row.space is None:
            return False
        row.settle(VENDOR_SPACE, None)
        row.space.rows[row.number] = row
        return True
    outer = <Row> known.get((0, path[0], path[1])) if attribute.vendor and len(path) == 3 else None
    if outer is not None and outer.kind == AS_EVS:
        row.settle(VENDOR_OF_EXTENDED if outer.place == INSIDE_EXTENDED else VENDOR_OF_LONG_EXTENDED, outer)
        outer.children[(<object> row.vendor) << 8 | row.number] = row
        return True
    outer = <Row> known.get((attribute.vendor, *path[:len(path) - 1]))
    if outer is None:
        return False
    row.settle(INSIDE_EXTENDED if outer.kind == AS_EXTENDED else
               INSIDE_LONG_EXTENDED if outer.kind == AS_LONG_EXTENDED else INSIDE_TLV, outer)
    outer.children[row.number] = row
    return True


cdef list CITED = []             # names of the dictionary in use that SECTIONS knows because of it


def configure(dictionary=None):
    """Use this dictionary (the shipped one unless given) in the whole process, names and slots alike."""
    cdef Row row
    cdef dict known = {}
    if dictionary is None:
        dictionary = default()
    wants("dictionary", dictionary, Dictionary)
    radius.configure(dictionary)
    STANDARD[:] = [None] * 256
    NAMES.clear()
    SPACES.clear()
    for vendor in dictionary.vendors.values():
        SPACES[vendor.number] = Space(vendor)
    for attribute in sorted(dictionary.attributes.values(), key=_depth):
        row = NAMES[attribute.name] = Row(attribute, dictionary.values.get(attribute.name, {}))
        if not attribute.is_internal and _put(row, attribute, known):
            known[_key(attribute)] = row
    for name in CITED:
        SECTIONS.pop(name, None)
    CITED[:] = NAMES.keys() - SECTIONS.keys()
    SECTIONS.update(dict.fromkeys(CITED, "RFC 2865 5"))      # what an error says of an attribute, unless it knows better


def label_of(str name, value):
    """The name that the dictionary has for a value of that attribute, or None."""
    cdef Row row = <Row> NAMES.get(name.partition(":")[0])
    if row is None or type(value) is not int:
        return None
    return next((label for label, number in row.values.items() if number == value), None)


def _depth(attribute):
    return len(attribute.path)


configure()
