from collections.abc import Iterable, Mapping
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcodec.columns import ColumnRows
from fastcodec.extension_index import ExtensionIndex
from fastcodec.key_table import KeyTable
from fastcodec.mip4_messages import Mip4Message
from fastcodec.secret import Secret, SecretArray

_Authenticator = Literal["mn_ha", "mn_aaa", "mn_fa", "fa_ha"]
_Keys = KeyTable | SecretArray | Mapping[int, Secret | bytes] | Secret | bytes
COLUMNS: dict[str, tuple[int, int]]
AUTHENTICATORS: tuple[str, ...]
FIXED: dict[int, str]

class RegistrationBatch(ColumnRows):
    def __init__(self, octets: NDArray[np.uint8], lengths: ArrayLike, type: int) -> None: ...
    @classmethod
    def from_datagrams(cls, datagrams: Iterable[bytes | bytearray | memoryview], type: int | None = None) -> Self: ...
    @classmethod
    def from_template(cls, message: Mip4Message, n: int, keys: Mapping[int, Secret | bytes] | None = None) -> Self: ...
    def spi(self, authenticator: _Authenticator) -> NDArray[np.uint32]: ...
    def walk(self) -> None: ...
    def index(self) -> ExtensionIndex: ...
    def verify(self, keys: _Keys, which: ArrayLike | None = None,
               authenticator: _Authenticator = "mn_ha") -> NDArray[np.uint8]: ...
    def sign(self, keys: _Keys, which: ArrayLike | None = None,
             authenticator: _Authenticator = "mn_ha") -> NDArray[np.uint8]: ...
