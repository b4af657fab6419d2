from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from fastcodec.radius_packet import RadiusPacket
from fastcodec.rows import Rows
from fastcodec.secret import SecretArray

@disjoint_base
class RadiusBatch(Rows):
    offsets: NDArray[np.uint16]
    sizes: NDArray[np.uint8]
    counts: NDArray[np.uint8]
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike) -> None: ...
    @classmethod
    def from_template(cls, message: RadiusPacket, n: int) -> Self: ...
    @property
    def header(self) -> NDArray[Any]: ...
    def value(self, slot: int) -> NDArray[np.uint8]: ...
    def walk(self) -> None: ...
    def verify(self, secrets: SecretArray, which: ArrayLike | None = None, requests: ArrayLike | None = None,
               require: bool = True) -> NDArray[np.uint8]: ...
    def sign(self, secrets: SecretArray, which: ArrayLike | None = None,
             requests: ArrayLike | None = None) -> NDArray[np.uint8]: ...
