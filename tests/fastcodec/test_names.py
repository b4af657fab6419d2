"""Every public name says what it is, to people and to type checkers."""
import importlib.util
import inspect
import os
import subprocess
import sys
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import fastcodec as fc

PROGRAM = Path(__file__).with_name("user_program.py")
ROOT = Path(next(iter(fc.__path__))).parent


def documented(cls, name):
    """A method by itself or by the class it overrides; what Cython shows of a field, by name in the docstring of its class."""
    if type(vars(cls)[name]).__name__ in ("getset_descriptor", "member_descriptor"):
        said = getattr(vars(cls)[name], "__doc__", None)
        return bool(said) or issubclass(cls, (fc.Message, fc.Part)) or f"`{name}`" in (cls.__doc__ or "")
    return bool((inspect.getdoc(getattr(cls, name)) or "").strip())


@pytest.mark.parametrize("name", fc.__all__)
def test_docstrings(name):
    value = getattr(fc, name)
    assert (value.__doc__ or "").strip(), f"{name} says nothing"
    assert not value.__doc__.startswith(name + "(self"), f"{name} has its signature only"
    if isinstance(value, type) and not issubclass(value, (Enum, tuple)):
        public = [m for m, v in vars(value).items() if not m.startswith("_") and (
            callable(v) or isinstance(v, (classmethod, staticmethod, property)) or inspect.isdatadescriptor(v))]
        assert [m for m in public if not documented(value, m)] == []


def test_messages_and_parts_have_the_same_names():
    """One way for every protocol: `keys` or `secret` first, then `request`, the rest by name."""
    for cls in (fc.Mip4Message, fc.MobilityMessage, fc.MobilityPacket, fc.PanaMessage):
        for method in ("decode", "encode", "verify", "sign"):
            parameters = [p for p in inspect.signature(getattr(cls, method)).parameters if p not in ("self", "data")]
            assert parameters[0] == "keys", (cls, method)
    for method in ("decode", "encode", "verify", "sign"):
        parameters = [p for p in inspect.signature(getattr(fc.RadiusPacket, method)).parameters if p not in ("self", "data")]
        assert parameters[:2] == ["secret", "request"], method
    for cls in (fc.Mip4Message, fc.MobilityMessage, fc.MobilityPacket, fc.PanaMessage, fc.RadiusPacket, fc.EapPacket, fc.AgentMessage):
        assert all(hasattr(cls, name) for name in ("decode", "encode", "replace", "find", "find_all", "nai", "to_dict", "from_dict",
                                                   "to_json", "from_json"))
    for cls in (fc.RegistrationBatch, fc.RadiusBatch, fc.MobilityBatch, fc.AgentBatch):
        assert all(hasattr(cls, name) for name in ("from_datagrams", "from_template", "fixed", "walk", "index", "datagram", "datagrams"))


def test_the_user_program_runs():
    spec = importlib.util.spec_from_file_location("user_program", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    made = program.main()
    assert made[1:2] + made[3:] == [program.HOME, ("mn", 7), 1800, True, 100,
                                    ("RegistrationRequest", 1, "RFC 5944 3.3"), True]
    assert made[0].startswith("mn@home ")
    assert isinstance(made[2], fc.BindingUpdate)


@pytest.mark.timeout(300)
def test_the_user_program_is_typed(tmp_path):
    path = {} if "site-packages" in ROOT.parts else {"MYPYPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(PROGRAM)], cwd=tmp_path,
                          env=os.environ | path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("part", "shown"), [
    (fc.IPv4AcknowledgementOption(132, 32 << 2, IPv4Address(0)), "status=IPV4_ADDRESS_NO_DYNAMIC_ASSIGNMENT"),
    (fc.NatDetectionOption(0x8000, 110), "flags=F, refresh_time=110"), (fc.GpskFail(2), "failure=GPSK_AUTHENTICATION_FAILURE"),
    (fc.GpskProtectedFail(3, bytes(16)), "failure=GPSK_AUTHORIZATION_FAILURE"), (fc.GpskFail(9), "failure=9")])
def test_codes_are_shown_by_name(part, shown):
    assert shown in str(part)
    assert type(part).from_json(part.to_json()) == part


def test_numbers_are_those_of_the_registries():
    """RFC 5555 3.2.1, RFC 5433 9.5."""
    assert {int(status) for status in fc.IPv4AddressStatus} == {0, *range(128, 134)}
    assert {int(failure) for failure in fc.GpskFailure} == {1, 2, 3}
    assert fc.IPv4HomeAddressOption(0x8200, IPv4Address(0)).wants_network
    assert not fc.IPv4HomeAddressOption(0x8000, IPv4Address(0)).wants_network
