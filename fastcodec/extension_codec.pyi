from collections.abc import Iterable
from typing import Any, final

@final
class ExtensionCodec:
    def __init__(self, unknown: Any, padding: Any, classes: Iterable[Any]) -> None: ...
