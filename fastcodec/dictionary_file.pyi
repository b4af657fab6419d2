from pathlib import Path
from typing import final

from fastcodec.dictionary import Dictionary

@final
class Reader:
    def __new__(cls, into: Dictionary, path: Path, stack: tuple[Path, ...]) -> Reader: ...

def read_file(into: Dictionary, path: str | Path) -> None: ...
