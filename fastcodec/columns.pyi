from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from fastcodec.rows import Rows
from fastcodec.rows import alike as alike
from fastcodec.rows import packed as packed

_Batch = TypeVar("_Batch", bound=Rows)

@disjoint_base
class ColumnRows(Rows):
    type: int
    offsets: NDArray[np.uint16]
    sizes: NDArray[np.uint16]
    found: NDArray[np.uint8]
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike, type: int, names: list[str],
                 layouts: dict[Any, np.dtype[Any]]) -> None: ...
    @property
    def fixed(self) -> NDArray[Any]: ...
    def offset(self, column: str) -> NDArray[np.uint16]: ...
    def size(self, column: str) -> NDArray[np.uint16]: ...
    def value(self, column: str) -> NDArray[np.uint8]: ...

def batch_of(cls: type[_Batch], datagrams: Iterable[bytes | bytearray | memoryview], type: int | None, at: int,
             least: int) -> _Batch: ...

class Zeros:
    def get(self, spi: int) -> bytes: ...
