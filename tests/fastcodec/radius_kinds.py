"""A dictionary with an attribute of every type in every kind of space."""

KINDS = ("string", "octets", "integer", "integer64", "short", "byte", "signed", "date", "ipaddr", "ipv6addr", "ipv6prefix",
         "ipv4prefix", "ifid", "ether", "abinary", "combo-ip", "bool")
SPACES = {     # of the vendors below: (name, number, format, octets of a value)
    "Plain": (40001, "1,1", 247), "Wide": (40002, "4,0", 245), "Two-One": (40003, "2,1", 246), "Two-Two": (40004, "2,2", 245),
    "Going-On": (40005, "1,1,c", 3000), "One-None": (40006, "1,0", 248), "Four-Two": (40007, "4,2", 243)}
FIRST = 101


def _every_kind(prefix: str) -> str:
    return "".join(f"ATTRIBUTE {prefix}-{kind} {FIRST + k} {kind}\n" for k, kind in enumerate(KINDS))


def dictionary_text() -> str:
    text = ""
    for vendor, (number, form, _) in SPACES.items():
        text += f"VENDOR {vendor} {number} format={form}\nBEGIN-VENDOR {vendor}\n{_every_kind(vendor)}END-VENDOR {vendor}\n"
    for outer in (1, 5):
        text += (f"BEGIN-VENDOR Plain parent=Extended-Vendor-Specific-{outer}\n{_every_kind(f'Evs{outer}')}END-VENDOR Plain\n")
    for outer in (242, 246):
        text += "".join(f"ATTRIBUTE Ext{outer}-{kind} {outer}.{FIRST + k} {kind}\n" for k, kind in enumerate(KINDS))
    text += "ATTRIBUTE Group 192 tlv\nBEGIN-TLV Group\n" + _every_kind("Group")
    for depth in range(1, 10):
        text += f"ATTRIBUTE Group-Deep{depth} 1 tlv\nBEGIN-TLV Group-Deep{depth}\nATTRIBUTE Group-Leaf{depth} 2 integer\n"
    text += "".join(f"END-TLV Group-Deep{depth}\n" for depth in range(9, 0, -1)) + "END-TLV Group\n"
    text += "BEGIN-VENDOR Going-On\nATTRIBUTE Going-On-Group 1 tlv\nBEGIN-TLV Going-On-Group\n" + _every_kind("Going-On-Group")
    text += "END-TLV Going-On-Group\nEND-VENDOR Going-On\n"
    text += "ATTRIBUTE Long-Group 245.9 tlv\nBEGIN-TLV Long-Group\n" + _every_kind("Long-Group") + "END-TLV Long-Group\n"
    text += "ATTRIBUTE List-ipaddr 193 ipaddr array\nATTRIBUTE List-short 194 short array\nATTRIBUTE Joined 195 octets concat\n"
    text += "ATTRIBUTE Internal 3000 integer\n"
    return text
