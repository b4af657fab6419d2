from typing import Any, final

import numpy as np
from numpy.typing import NDArray

LAYOUT: np.dtype[np.void]

@final
class Formats:
    def __new__(cls) -> Formats: ...

def index_of(octets: NDArray[np.uint8], lengths: NDArray[np.uint32], status: NDArray[np.uint8]) -> NDArray[Any]: ...
def key_of(name: str) -> tuple[int, int, int, int]: ...
