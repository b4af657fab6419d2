"""What a caller must give: TypeError in one line, with the name of the argument, for what is something else altogether.

What has the right type and a wrong value is an EncodeError where it is used.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["called", "wants", "wants_list", "wants_octets"]


def wants(name: str, value: Any, *classes: type) -> None:
    """TypeError unless `value` is of one of these classes."""
    if not isinstance(value, classes):
        raise TypeError(f"{name}: {' or '.join(cls.__name__ for cls in classes)} is needed, not {called(value)}")


def wants_octets(name: str, value: Any) -> bytes:
    """The octets of any buffer; TypeError for all else: bytes(16) would be sixteen zeros."""
    try:
        return value if type(value) is bytes else bytes(memoryview(value))
    except TypeError:
        raise TypeError(f"{name}: bytes, bytearray or memoryview is needed, not {called(value)}") from None


def wants_list(name: str, values: Any, what: str) -> list[Any]:
    """`values` as a list; TypeError for one where several are wanted: a text or octets would be taken apart."""
    if isinstance(values, (str, bytes, bytearray, memoryview)) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: a list of {what} is needed, not {called(values)}")
    return list(values)


def called(value: Any) -> str:
    """What a wrong value is called: a class by its own name, all else by that of its class."""
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
