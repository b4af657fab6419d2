from typing import Any

import numpy as np

from fastcodec.overlay import dtype_of as dtype_of

LAYOUTS: dict[str, np.dtype[Any]]
