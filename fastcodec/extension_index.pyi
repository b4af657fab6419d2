from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

INDEX: np.dtype[Any]

class ExtensionIndex(NamedTuple):
    entries: NDArray[Any]
    starts: NDArray[np.uint32]
