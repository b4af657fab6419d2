from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from fastcodec.mip4_messages import RegistrationReply, RegistrationRequest
from fastcodec.rows import Rows
from fastcodec.secret import SecretArray

COLUMNS: dict[str, tuple[int, int]]

@disjoint_base
class RegistrationBatch(Rows):
    type: int
    offsets: NDArray[np.uint16]
    sizes: NDArray[np.uint16]
    found: NDArray[np.uint8]
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike, type: int) -> None: ...
    @classmethod
    def from_template(cls, message: RegistrationRequest | RegistrationReply, n: int) -> Self: ...
    @property
    def fixed(self) -> NDArray[Any]: ...
    def offset(self, column: str) -> NDArray[np.uint16]: ...
    def size(self, column: str) -> NDArray[np.uint16]: ...
    def value(self, column: str) -> NDArray[np.uint8]: ...
    def walk(self) -> None: ...
    def verify(self, secrets: SecretArray, which: ArrayLike | None = None,
               authenticator: Literal["mn_ha", "mn_aaa"] = "mn_aaa") -> NDArray[np.uint8]: ...
    def sign(self, secrets: SecretArray, which: ArrayLike | None = None,
             authenticator: Literal["mn_ha", "mn_aaa"] = "mn_ha") -> NDArray[np.uint8]: ...
