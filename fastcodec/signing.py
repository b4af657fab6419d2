"""`sign` and `verify` of messages whose parts are authenticators: which of them are computed anew, and under which key."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastcodec.errors import AuthenticationError, EncodeError
from fastcodec.secret import Secret, key_octets
from fastcodec.status import Status

__all__ = ["Keys", "Octets", "keys_like_before", "unsigned", "wants_keys", "wants_none_empty"]

P = TypeVar("P")
Octets = bytes | bytearray | memoryview
Keys = Secret | Octets | Mapping[int, Secret | Octets]
ALGORITHMS = {20: "hmac-sha1", 32: "hmac-sha256"}       # by octets of the authenticator; HMAC-MD5 is the default


def key_for(keys: Keys, spi: int) -> Secret | Octets | None:
    return keys.get(spi) if isinstance(keys, Mapping) else keys


def signed_by(part: Any, keys: Keys) -> bool:
    return hasattr(part, "authenticator") and key_for(keys, part.spi) is not None


def unsigned(parts: Iterable[P], keys: Keys) -> list[P]:
    """The same, the authenticators that a key is known for empty, so that `encode` computes them; EncodeError when there are
    authenticators and a key for none of them."""
    wants_keys(keys)
    parts = list(parts)
    spis = [part.spi for part in parts if hasattr(part, "authenticator")]  # type: ignore[attr-defined]
    if spis and all(key_for(keys, spi) is None for spi in spis):
        raise EncodeError("keys", f"no key for SPI {', '.join(f'{spi:#x}' for spi in spis)}: nothing would be signed")
    return [part.replace(authenticator=b"") if signed_by(part, keys) else part for part in parts]  # type: ignore[attr-defined]


def keys_like_before(parts: Iterable[Any], keys: Keys) -> dict[int, Secret | Octets]:
    """Keys by SPI; one that names no algorithm makes an authenticator as long as the one that is there."""
    found: dict[int, Secret | Octets] = {}
    for part in parts:
        key = key_for(keys, part.spi) if signed_by(part, keys) else None
        if key is not None:
            plain = not isinstance(key, Secret) or key.algorithm is None
            algorithm = ALGORITHMS.get(len(part.authenticator)) if plain else None
            found[part.spi] = Secret(key_octets(key), algorithm) if algorithm else key
    return found


def wants_keys(keys: Keys, name: str = "keys") -> None:
    """TypeError without any: a configuration that lacks them must not pass for one under which all is right."""
    if keys is None:
        raise TypeError(f"{name}: None would verify and sign nothing")


def wants_none_empty(name: str, parts: Iterable[Any]) -> None:
    """AuthenticationError when an authenticator is not computed yet: nothing is there to verify."""
    for part in parts:
        if getattr(part, "authenticator", None) == b"":
            raise AuthenticationError(f"{type(part).__name__}.authenticator", f"empty: {name} is not signed", Status.NO_AUTHENTICATOR)
