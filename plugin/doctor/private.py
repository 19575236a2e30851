"""A MongoDB server of one's own: a folder, a free port, gone when its owner is gone.

    owner --pipe--> guard --> mongod

The guard is a tiny process that stops the server when the pipe closes: when the owner
says so, and also when the owner is killed. So no server outlives a demo or a test.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import SetupError
from .mongod import Mongo, bundled, on_path, server_at
from .settings import fiftyone_setting

DATABASE = "fiftyone-gemini"
START_SECONDS = 60.0
RETRY_SECONDS = 5.0
STOP_SECONDS = 30.0

GUARD = """
import subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def watch():
    sys.stdin.buffer.read()
    server.terminate()
threading.Thread(target=watch, daemon=True).start()
sys.exit(server.wait())
"""


@dataclass(frozen=True, slots=True)
class PrivateMongo:
    """A running server that nobody else uses, or a database that nobody else uses."""

    uri: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings that turn FiftyOne to it; put them in place before its import."""
        return {
            "FIFTYONE_DATABASE_URI": self.uri,
            "FIFTYONE_DATABASE_NAME": DATABASE,
            "FIFTYONE_DATABASE_VALIDATION": "false",  # no notice about mongod 6.0
        }


@contextmanager
def private_mongod(folder: Path) -> Iterator[PrivateMongo]:
    """Run a server on a free loopback port with its data in `folder`.

    The data stays: the same folder can be opened again. Where the machine has no
    `mongod` but FIFTYONE_DATABASE_URI answers, that server is used, with a database of
    another name. Raises SetupError.

    Enter it before FiftyOne is imported. If FiftyOne is imported meanwhile, the server
    runs on until the process ends: FiftyOne cleans up at exit, and would wait 30 s for a
    server that is gone.
    """
    program = local_program()
    if program is None:
        yield PrivateMongo(configured_server())
        return
    folder.mkdir(parents=True, exist_ok=True)
    guard, port = start_ready(program, folder)
    at_exit = partial(stop, guard)
    atexit.register(at_exit)  # before FiftyOne's own, so it runs after it
    used_before = fiftyone_is_loaded()
    try:
        yield PrivateMongo(f"mongodb://127.0.0.1:{port}")
    finally:
        if used_before or not fiftyone_is_loaded():
            stop(guard)
            atexit.unregister(at_exit)


def fiftyone_is_loaded() -> bool:
    """Tell whether this process has imported FiftyOne."""
    return "fiftyone" in sys.modules


def local_program() -> Mongo | None:
    """Find a `mongod` on this machine."""
    for found in (bundled(), on_path()):
        if isinstance(found, Mongo):
            return found
    return None


def configured_server() -> str:
    """Give the address of the configured server if it answers."""
    uri = fiftyone_setting("database_uri", os.environ)
    if uri and isinstance(server_at(uri), Mongo):
        return uri
    raise SetupError("There is no MongoDB. Run `fiftyone-gemini doctor --fix`.")


def free_port() -> int:
    """Ask the system for a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_ready(program: Mongo, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server that takes connections, and give its guard and port.

    Tries for some seconds: the server of a killed owner may still be closing the folder.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        port = free_port()
        guard = start(program, folder, port)
        if is_ready(guard, port):
            return guard, port
        stop(guard)
        if time.monotonic() > deadline:
            raise SetupError(
                f"MongoDB does not start in {folder}: see {log_of(folder)}. "
                "Is another demo or App running on the same folder?"
            )


def start(program: Mongo, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the guard, and through it the server."""
    server = [program.place, "--dbpath", str(folder), "--port", str(port)]
    server += ["--bind_ip", "127.0.0.1", "--quiet", "--logappend"]
    server += ["--logpath", str(log_of(folder))]
    server += ["--wiredTigerCacheSizeGB", "0.5"]
    if os.name != "nt":
        server.append("--nounixsocket")
    return subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-I", "-S", "-c", GUARD, *server],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the owner, not the server
    )


def is_ready(guard: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server takes connections; tell whether it ever does."""
    deadline = time.monotonic() + START_SECONDS
    while guard.poll() is None and time.monotonic() < deadline:
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1),
        ):
            return True
        time.sleep(0.02)
    return False


def stop(guard: subprocess.Popen[bytes]) -> None:
    """Close the pipe, and wait until the server has written everything."""
    if guard.stdin:
        guard.stdin.close()
    try:
        guard.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        guard.kill()


def log_of(folder: Path) -> Path:
    """Name the server's log, beside its data."""
    return folder / "mongod.log"
