from typing import final

from fastcodec.hiding import Cloak

@final
class Look:
    def __new__(cls, cloak: Cloak | None, depth: int) -> Look: ...
