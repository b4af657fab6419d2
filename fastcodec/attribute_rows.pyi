from typing import Any, final

from fastcodec.dictionary import Attribute, Dictionary, Vendor

@final
class Space:
    def __new__(cls, vendor: Vendor) -> Space: ...

@final
class Row:
    name: str
    def __new__(cls, attribute: Attribute, values: dict[Any, Any]) -> Row: ...

def label_of(name: str, value: Any) -> str | None: ...
def configure(dictionary: Dictionary | None = None) -> None: ...
