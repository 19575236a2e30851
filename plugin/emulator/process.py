"""An emulator in a process of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from .settings import EmulatorError, Settings

_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class EmulatorHandle:
    """A running emulator: its address (no slash at the end) and its process."""

    url: str
    pid: int


@contextmanager
def running_emulator(
    settings: Settings | None = None, port: int = 0
) -> Iterator[EmulatorHandle]:
    """Run an emulator until the block ends, however it ends; port 0 takes a free one.

    The process also ends when this one dies. Raises EmulatorError when the emulator
    cannot start, with its own words.
    """
    text = (settings or Settings()).to_json()
    command = [sys.executable, "-m", __package__, text, str(port)]
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,  # its end tells the child that we are gone
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        yield _wait(process)
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[str]) -> EmulatorHandle:
    """Wait for the address in the first line, and for the first answer."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("http://"):
        raise EmulatorError(line or "The emulator ended before it could start.")
    with urlopen(f"{line}/emulator", timeout=60) as page:  # noqa: S310
        page.read()
    return EmulatorHandle(line, process.pid)


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process, with force if it lingers, and free its pipes."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
