"""The control socket: `stats` and a newline are answered with one line of JSON. Only its owner may ask (mode 0600)."""
from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from servers.bounded import BoundedServer, Output
from servers.errors import ConfigurationError

QUESTION = b"stats"
LONGEST_PATH = 107             # octets, sun_path of unix(7)
LONGEST_ANSWER = 1 << 20
PATIENCE_S = 5.0


def listen(path: Path) -> socket.socket:
    """A listening socket at the path. ConfigurationError when something else is there, or a server that still runs."""
    try:
        with reachable(path) as name:
            remove_stale(path, name)
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            mask = os.umask(0o177)
            try:
                made.bind(name)
                made.listen(16)
            except BaseException:
                made.close()
                raise
            finally:
                os.umask(mask)
        return made
    except OSError as error:
        raise ConfigurationError(f"control.socket: {path}: {error.strerror}") from None


def remove_stale(path: Path, name: str) -> None:
    """A server that was killed leaves its socket behind."""
    try:
        if not stat.S_ISSOCK(os.lstat(name).st_mode):
            raise ConfigurationError(f"control.socket: {path}: is there already and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            os.unlink(name)
            return
    raise ConfigurationError(f"control.socket: {path}: another server listens there")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The path as the kernel takes it: one that is too long goes through its folder's descriptor."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    if len(os.fsencode(path.name)) > 64:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Control(BoundedServer):
    """Answers with what `figures` returns; the socket's file goes with it."""

    def __init__(self, path: Path, figures: Callable[[], dict[str, Any]]) -> None:
        super().__init__(listen(path), b"\n", self.tell)
        self.path, self.figures = path, figures

    def tell(self, question: bytes) -> Output:
        if question.strip() != QUESTION:
            return Output(b'{"error":"the question is: stats"}\n', last=True)
        return Output(json.dumps(self.figures(), separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        super().close()
        self.path.unlink(missing_ok=True)


def ask(path: Path) -> dict[str, Any]:
    """What the server behind a control socket tells of itself; ConfigurationError when nobody answers sensibly."""
    try:
        with reachable(path) as name, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(PATIENCE_S)
            client.connect(name)
            client.sendall(QUESTION + b"\n")
            line = b""
            while not line.endswith(b"\n") and len(line) < LONGEST_ANSWER:
                piece = client.recv(65536)
                if not piece:
                    raise ConfigurationError(f"{path}: the server closed the connection")
                line += piece
        told: dict[str, Any] = json.loads(line)
        return told
    except TimeoutError:
        raise ConfigurationError(f"{path}: no answer within {PATIENCE_S:g} s") from None
    except ConnectionRefusedError:
        raise ConfigurationError(f"{path}: no server listens there any more") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be asked: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{path}: what answers there is no server of ours") from None
