"""What is there: a database address in the settings, a `mongod` program and its version.

Reads only; nothing is changed and FiftyOne is not imported (that takes seconds).
`fetch` changes things, `mongo` decides.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import SetupError

OLDEST = (6, 0)
"""FiftyOne 1.20 and later refuse an older MongoDB."""

PROGRAM = "mongod.exe" if os.name == "nt" else "mongod"
CALL_SECONDS = 30.0
PING_SECONDS = 2.0

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Mongo:
    """A database that FiftyOne can use: a server's address or a program to start."""

    source: str  # where it was found, in words for the user
    place: str  # a mongodb:// address, or the path of the program
    version: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """Why one way to a database does not work, in words for the user."""

    reason: str


def fiftyone_bin() -> Path:
    """Name the one folder in which FiftyOne looks for `mongod`.

    Raises SetupError where FiftyOne is not installed.
    """
    spec = find_spec("fiftyone")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("FiftyOne is not installed: run `pip install fiftyone`.")
    return Path(next(iter(spec.submodule_search_locations))) / "db" / "bin"


def server_at(uri: str) -> Mongo | NotThere:
    """Ask the server at an address for its version."""
    import pymongo
    import pymongo.errors

    try:
        with pymongo.MongoClient[dict[str, object]](
            uri, serverSelectionTimeoutMS=int(PING_SECONDS * 1000)
        ) as client:
            version = client.server_info()["version"]
    except pymongo.errors.PyMongoError as error:
        # Never the address itself: it may carry a password.
        kind = type(error).__name__
        return NotThere(f"FIFTYONE_DATABASE_URI is set but nothing answers ({kind})")
    return Mongo("the server of FIFTYONE_DATABASE_URI", uri, str(version))


def program_at(path: Path, source: str) -> Mongo | NotThere:
    """Run `mongod --version` to see that the program works and is new enough."""
    if not path.is_file():
        return NotThere(f"{source}: there is none")
    try:
        run = subprocess.run(  # noqa: S603 - a program that FiftyOne would start as well
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return NotThere(f"{source}: {path} does not run ({error})")
    version = read_version(run.stdout)
    if run.returncode or version is None:
        said = (run.stderr or run.stdout).strip()[:300]
        return NotThere(f"{source}: {path} does not run ({said})")
    written = ".".join(map(str, version))
    if version[:2] < OLDEST:
        return NotThere(f"{source}: {path} is {written}, older than 6.0")
    return Mongo(source, str(path), written)


def read_version(text: str) -> Version | None:
    """Find `db version v6.0.5` in what `mongod --version` prints."""
    found = re.search(r"db version v(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        return None
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def bundled() -> Mongo | NotThere:
    """Look at the program that FiftyOne starts by itself."""
    return program_at(fiftyone_bin() / PROGRAM, "FiftyOne's own mongod")


def on_path() -> Mongo | NotThere:
    """Look at the `mongod` on PATH, which FiftyOne never looks at."""
    found = shutil.which("mongod")
    if found is None:
        return NotThere("mongod on PATH: there is none")
    return program_at(Path(found), "mongod on PATH")
