from fastcodec.mip4 import EXTENSIONS as EXTENSIONS

NAMES: dict[int, str]

def name_of(type: int, subtype: int) -> str: ...
