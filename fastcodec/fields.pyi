from collections.abc import Collection
from typing import Any, final

_Class = type[Any]

@final
class Plan:
    cls: _Class
    size: int
    type: int
    subtype: int
    shape: int
    tail: int
    def __init__(self, cls: _Class, fields: list[tuple[str, int, int, Any]], size: int, tail: int, type: int = 0,
                 subtype: int = 0, shape: int = 0, reserved: Collection[int] = ()) -> None: ...
