from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from fastcodec.extension_index import ExtensionIndex
from fastcodec.key_table import KeyTable
from fastcodec.mip4_messages import Mip4Message
from fastcodec.rows import Rows
from fastcodec.secret import Secret, SecretArray

_Authenticator = Literal["mn_ha", "mn_aaa", "mn_fa", "fa_ha"]
COLUMNS: dict[str, tuple[int, int]]
AUTHENTICATORS: tuple[str, ...]
FIXED: dict[int, str]

@disjoint_base
class RegistrationBatch(Rows):
    type: int
    offsets: NDArray[np.uint16]
    sizes: NDArray[np.uint16]
    found: NDArray[np.uint8]
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike, type: int) -> None: ...
    @classmethod
    def from_template(cls, message: Mip4Message, n: int, keys: Mapping[int, Secret | bytes] | None = None) -> Self: ...
    @property
    def fixed(self) -> NDArray[Any]: ...
    def offset(self, column: str) -> NDArray[np.uint16]: ...
    def size(self, column: str) -> NDArray[np.uint16]: ...
    def value(self, column: str) -> NDArray[np.uint8]: ...
    def spi(self, authenticator: _Authenticator) -> NDArray[np.uint32]: ...
    def walk(self) -> None: ...
    def index(self) -> ExtensionIndex: ...
    def verify(self, keys: KeyTable | SecretArray, which: ArrayLike | None = None,
               authenticator: _Authenticator = "mn_aaa") -> NDArray[np.uint8]: ...
    def sign(self, keys: KeyTable | SecretArray, which: ArrayLike | None = None,
             authenticator: _Authenticator = "mn_ha") -> NDArray[np.uint8]: ...
