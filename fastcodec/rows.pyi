from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

@final
class Scratch:
    def __new__(cls, rows: int, text_size: int) -> Scratch: ...

@disjoint_base
class Rows:
    octets: NDArray[np.uint8]
    lengths: NDArray[np.uint32]
    status: NDArray[np.uint8]
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike) -> None: ...
    def __len__(self) -> int: ...
    def datagram(self, row: int) -> bytes: ...

def rows_of(octets: bytes, n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]: ...
