# cython: wraparound=True
"""Reader of dictionary files in FreeRADIUS's format, as they are in the wild. One pass, no regular expressions.

VENDOR, BEGIN-/END-VENDOR (with parent= or format=), ATTRIBUTE with dotted numbers (.N: inside the attribute before) and flags,
VALUE, BEGIN-/END-TLV, $INCLUDE, $INCLUDE-, PROTOCOL RADIUS, FLAGS internal. What is missing (STRUCT, MEMBER, other protocols) is
refused by name.
"""
from pathlib import Path

from fastcodec.dictionary_entries import Attribute, Vendor
from fastcodec.errors import DictionaryError

cdef dict ALIASES = {"uint8": "byte", "uint16": "short", "uint32": "integer", "uint64": "integer64", "int32": "signed",
                     "text": "string", "ipv4addr": "ipaddr", "time": "date", "enum": "integer"}
cdef frozenset KINDS = frozenset({
    "string", "octets", "integer", "integer64", "short", "byte", "signed", "date", "ipaddr", "ipv6addr", "ipv6prefix",
    "ipv4prefix", "ifid", "ether", "abinary", "combo-ip", "bool", "tlv", "vsa", "extended", "long-extended", "evs"})
cdef frozenset HOLDERS = frozenset({"tlv", "extended", "long-extended"})             # of other attributes
cdef frozenset SAYS_NOTHING = frozenset({"secret", "long", "compat", "unsafe"})     # of a value's octets
cdef dict SCHEMES = {"encrypt=1": 1, "encrypt=2": 2, "encrypt=3": 3, "encrypt=User-Password": 1, "encrypt=Tunnel-Password": 2,
                     "encrypt=Ascend-Secret": 3}             # by number in FreeRADIUS 3, by name in 4
cdef frozenset MISSING = frozenset({"STRUCT", "MEMBER", "ENUM", "ALIAS", "DEFINE", "BEGIN-STRUCT", "END-STRUCT"})
cdef enum:
    VENDOR_SPECIFIC = 26
    FIRST_INTERNAL = 500      # of the attributes that FreeRADIUS keeps to itself
cdef object MOST_VALUE = 0xffffffffffffffff
cdef dict ARITY = {"$INCLUDE": (1, 1), "$INCLUDE-": (1, 1), "ATTRIBUTE": (3, 4), "VALUE": (3, 3), "VENDOR": (2, 3),
                   "BEGIN-VENDOR": (1, 2), "END-VENDOR": (1, 1), "BEGIN-TLV": (1, 1), "END-TLV": (1, 1),
                   "PROTOCOL": (2, 3), "BEGIN-PROTOCOL": (1, 1), "END-PROTOCOL": (1, 1), "FLAGS": (1, 1)}


cdef class Reader:
    """One file being read; `vendor`, `base` and `parents` are the blocks that are open."""
    cdef object into, path
    cdef str where
    cdef tuple stack
    cdef list parents
    cdef dict attributes, numbers, values, orphans, kinds, flags
    cdef object vendor, vendor_number, before
    cdef tuple base
    cdef int line, most
    cdef bint is_internal, has_protocol
    cdef str last
    cdef dict last_values

    def __cinit__(self, into, path, tuple stack):
        self.into, self.path, self.where, self.stack = into, path, str(path), (*stack, path)
        self.attributes, self.numbers, self.values, self.orphans = into.attributes, into.numbers, into.values, into.orphans
        self.vendor, self.vendor_number, self.base, self.parents, self.most = None, 0, (), [], 0
        self.kinds, self.flags = {}, {}

    cdef object fault(self, str reason):
        return DictionaryError(self.where, self.line, reason)

    cdef int read(self) except -1:
        cdef str text, line
        cdef list words
        try:
            with open(self.path, "rb") as file:
                text = file.read().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        except OSError as error:
            raise self.fault(f"cannot be read: {error}") from error
        for line in text.split("\n"):
            self.line += 1
            if "#" in line:
                line = line.partition("#")[0]
            words = line.split()
            if words:
                self.statement(words)
        if self.vendor is not None:
            raise self.fault(f"BEGIN-VENDOR {self.vendor.name} without its END-VENDOR")
        if self.parents:
            raise self.fault(f"BEGIN-TLV {self.parents[-1].name} without its END-TLV")
        return 0

    cdef int statement(self, list words) except -1:
        """The two keywords that nearly all lines have first."""
        cdef str keyword = <str> words[0]
        cdef Py_ssize_t n = len(words)
        if keyword == "VALUE" and n == 4:
            return self.value(<str> words[1], <str> words[2], <str> words[3])
        if keyword == "ATTRIBUTE" and n == 4:
            return self.attribute(<str> words[1], <str> words[2], <str> words[3], "")
        keyword = keyword.upper()
        if keyword in MISSING:
            raise self.fault(f"{keyword} is not supported")
        if keyword not in ARITY:
            raise self.fault(f"unknown keyword {keyword}")
        if keyword == "ATTRIBUTE" and n > 5:          # flags with blanks between them
            words = [*words[:4], ",".join(words[4:])]
            n = 5
        least, most = ARITY[keyword]
        if not least <= n - 1 <= most:
            raise self.fault(f"{keyword} takes {least} to {most} words, not {n - 1}")
        return self.other(keyword, words)

    cdef int other(self, str keyword, list words) except -1:
        if keyword == "ATTRIBUTE":
            return self.attribute(words[1], words[2], words[3], words[4] if len(words) > 4 else "")
        if keyword == "VALUE":
            return self.value(words[1], words[2], words[3])
        if keyword == "$INCLUDE" or keyword == "$INCLUDE-":
            return self.include_file((<str> words[1]).strip('"'), keyword == "$INCLUDE-")
        if keyword == "VENDOR":
            return self.declare_vendor(words)
        if keyword == "BEGIN-VENDOR":
            return self.begin_vendor(words)
        if keyword == "END-VENDOR":
            return self.end_vendor(words[1])
        if keyword == "BEGIN-TLV":
            return self.begin_tlv(words[1])
        if keyword == "END-TLV":
            return self.end_tlv(words[1])
        if keyword == "FLAGS":
            if words[1] not in ("internal", "!internal"):
                raise self.fault(f"FLAGS {words[1]} is not supported")
            self.is_internal = words[1] == "internal"
            return 0
        if (<str> words[1]).upper() != "RADIUS":
            raise self.fault(f"{keyword} {words[1]}: only RADIUS is supported")
        return 0

    cdef object number_of(self, str word, object most, object least=0):
        try:
            value = int(word) if word.isdecimal() else int(word, 0)
        except ValueError:
            raise self.fault(f"{word!r} is no number") from None
        if not least <= value <= most:
            raise self.fault(f"{word} is not within {least} to {most}")
        return value

    cdef int include_file(self, str name, bint optional) except -1:
        path = self.path.parent / name
        if path in self.stack:
            raise self.fault(f"{path} includes itself")
        if not path.is_file():
            if optional:
                return 0
            raise self.fault(f"{path} does not exist")
        self.last = None
        return (<Reader> Reader(self.into, path, self.stack)).read()

    # ------------------------------------------------------------ blocks

    cdef int declare_vendor(self, list words) except -1:
        cdef tuple sizes = ()
        if len(words) == 4:
            parts = words[3].removeprefix("format=").split(",")
            if (not words[3].startswith("format=") or len(parts) not in (2, 3) or parts[0] not in ("1", "2", "4")
                    or parts[1] not in ("0", "1", "2") or parts[2:] not in ([], ["c"])
                    or (parts[2:] and parts[:2] != ["1", "1"])):
                raise self.fault(f"{words[3]!r} is not format=T,L or format=1,1,c")
            sizes = (int(parts[0]), int(parts[1]), len(parts) == 3)
        self.into.add_vendor(Vendor(words[1], self.number_of(words[2], 0xffffffff), *sizes))
        return 0

    cdef int begin_vendor(self, list words) except -1:
        if self.vendor is not None:
            raise self.fault(f"BEGIN-VENDOR inside that of {self.vendor.name}")
        if words[1] not in self.into.vendors:
            raise self.fault(f"unknown vendor {words[1]}")
        if len(words) > 2:         # extended vendor space, RFC 6929 2.4; FreeRADIUS 3 says format=, 4 says parent=
            option, _, name = words[2].partition("=")
            if option not in ("parent", "format") or name not in self.attributes or self.attributes[name].kind != "evs":
                raise self.fault(f"{words[2]!r} is no parent= or format= of a known extended vendor-specific attribute")
            self.base = self.attributes[name].path
        self.vendor, self.before = self.into.vendors[words[1]], None
        self.vendor_number = self.vendor.number
        return 0

    cdef int end_vendor(self, str name) except -1:
        if self.vendor is None or name != self.vendor.name:
            raise self.fault(f"END-VENDOR {name} without its BEGIN-VENDOR")
        if self.parents:
            raise self.fault(f"BEGIN-TLV {self.parents[-1].name} without its END-TLV")
        self.vendor, self.vendor_number, self.base, self.before = None, 0, (), None
        return 0

    cdef int begin_tlv(self, str name) except -1:
        if name not in self.attributes:
            raise self.fault(f"unknown attribute {name}")
        if self.attributes[name].kind != "tlv":
            raise self.fault(f"{name} is no tlv")
        self.parents.append(self.attributes[name])
        return 0

    cdef int end_tlv(self, str name) except -1:
        if not self.parents or self.parents[-1].name != name:
            raise self.fault(f"END-TLV {name} without its BEGIN-TLV")
        self.parents.pop()
        self.before = None
        return 0

    # ------------------------------------------------------------ lines

    cdef int attribute(self, str name, str number, str kind, str flags) except -1:
        cdef tuple flagged = self.flags_of(flags) if flags else ()
        cdef object vendor = self.vendor if not flagged or flagged[0] is None else flagged[0]
        cdef object vendor_number = 0 if vendor is None else vendor.number
        cdef tuple path, shape
        cdef bint is_internal = self.is_internal or (bool(flagged) and <bint> flagged[5])
        shape = <tuple> self.kinds.get(kind)
        if shape is None:
            shape = self.kinds[kind] = self.kind_of(kind)
        if number.startswith(".") and not (self.parents and (self.before is None or self.before.kind not in HOLDERS)):
            vendor_number, path = self.inside_before(number)
        elif self.parents:
            path = (<tuple> self.parents[-1].path) + self.numbers_of(number)
        elif self.base:
            path = self.base + self.numbers_of(number)
        elif "." in number:
            path = self.numbers_of(number)
            if vendor_number == 0 and len(path) > 2:      # 26.VENDOR.TYPE, 241.26.VENDOR.TYPE
                vendor_number, path = self.vendor_inside(path)
        else:
            path = (self.number_of(number, 0xffffffff if vendor is None or vendor.type_size == 4 else
                                   0xff if vendor.type_size == 1 else 0xffff),)
            if vendor is None:
                if path[0] == 0 or 0xff < path[0] < FIRST_INTERNAL and not is_internal:
                    raise self.fault(f"{number} is not within 1 to 255")
                is_internal = is_internal or path[0] > 0xff
        if len(path) > 1:
            self.check_parent(name, vendor_number, path)
        attribute = Attribute(name, vendor_number, path, shape[0], shape[1], *flagged[1:5], is_internal=is_internal) \
            if flagged or is_internal else Attribute(name, vendor_number, path, shape[0], shape[1])
        self.forget(name)
        self.attributes[name] = attribute
        if not number.startswith("."):
            self.before = attribute
        if not is_internal:
            self.numbers[(vendor_number, *path)] = attribute
        return 0

    cdef int forget(self, str name) except -1:
        """A name that is declared again leaves its number and its place in the order."""
        before = self.attributes.pop(name, None)
        if before is not None and self.numbers.get((before.vendor, *before.path)) is before:
            del self.numbers[(before.vendor, *before.path)]
        return 0

    cdef tuple inside_before(self, str number):
        """Vendor and path of .N: inside the last attribute whose own number does not begin with a dot."""
        if self.before is None:
            raise self.fault(f"{number} is inside an attribute before, and there is none")
        return self.before.vendor, (<tuple> self.before.path) + self.numbers_of(number)

    cdef tuple vendor_inside(self, tuple path):
        if path[0] == VENDOR_SPECIFIC:
            return path[1], path[2:]
        outer = self.numbers.get((0, path[0], path[1]))
        if outer is not None and outer.kind == "evs" and len(path) > 3:
            return path[2], path[:2] + path[3:]
        return 0, path

    cdef int check_parent(self, str name, object vendor, tuple path) except -1:
        """Dotted numbers go inside something that can hold them."""
        if len(path) == 3 and vendor and (0, path[0], path[1]) in self.numbers:
            outer = self.numbers[0, path[0], path[1]]
            if outer.kind == "evs":
                return 0
        outer = self.numbers.get((vendor, *path[:-1]))
        if outer is None:
            raise self.fault(f"{name} is inside {'.'.join(map(str, path[:-1]))}, which is not known")
        if outer.kind not in HOLDERS:
            raise self.fault(f"{name} is inside {outer.name}, which is no tlv and not extended")
        return 0

    cdef tuple numbers_of(self, str text):
        cdef str part
        return tuple([self.number_of(part.strip("{}"), 0xffffffff if k else 0xff, 0)
                      for k, part in enumerate(text.lstrip(".").split("."))])

    cdef tuple kind_of(self, str text):
        """(kind, size) of octets[16]; a range like [1-253] says no more than the attribute's own limits."""
        cdef str base, rest
        cdef object size = 0
        base, _, rest = text.lower().partition("[")
        base = ALIASES.get(base, base)
        if base not in KINDS or (rest and not rest.endswith("]")):
            raise self.fault(f"unknown type {text}")
        if rest and "-" not in rest:
            size = self.number_of(rest[:-1], 0xff, 1)
        return base, size

    cdef tuple flags_of(self, str text):
        cdef tuple known = <tuple> self.flags.get(text)
        if known is None:
            known = self.flags[text] = self.read_flags(text)
        return known

    cdef tuple read_flags(self, str text):
        """(vendor, has_tag, encrypt, concat, array, is_internal)."""
        cdef str flag
        vendor, has_tag, encrypt, concat, array, is_internal = None, False, 0, False, False, False
        for flag in text.split(","):
            if flag == "has_tag" or flag == "has_tag=1":
                has_tag = True
            elif flag == "concat":
                concat = True
            elif flag == "array":
                array = True
            elif flag == "virtual" or flag == "internal":
                is_internal = True
            elif flag in SCHEMES:
                encrypt = SCHEMES[flag]
            elif flag.removeprefix("vendor=") in self.into.vendors:      # the old ways to say BEGIN-VENDOR for one line
                vendor = self.into.vendors[flag.removeprefix("vendor=")]
            elif flag and flag not in SAYS_NOTHING:
                raise self.fault(f"unknown flag {flag}")
        return vendor, has_tag, encrypt, concat, array, is_internal

    cdef int value(self, str name, str label, str number) except -1:
        """The attribute may come in a later line or file; until then the value is an orphan."""
        if name != self.last:
            if name not in self.attributes and name not in self.orphans:
                self.orphans[name] = self.fault(f"VALUE for the unknown attribute {name}")
            self.last_values = <dict> self.values.get(name)
            if self.last_values is None:
                self.last_values = self.values[name] = {}
            self.last = name
        self.last_values[label.strip('"')] = self.number_of(number, MOST_VALUE, -0x80000000)
        return 0


def read_file(into, path):
    """Add a file and all that it includes to a Dictionary; DictionaryError names file and line."""
    (<Reader> Reader(into, Path(path), ())).read()
    for name in [name for name in into.orphans if name in into.attributes]:
        del into.orphans[name]
