import numpy as np
from numpy.typing import NDArray

from servers.pool.bitmap import SharedPool

def churn(pool: SharedPool, witness: NDArray[np.uint64], seconds: float, seed: int,
          hold: int) -> tuple[int, int, int, float]: ...
