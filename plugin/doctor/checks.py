"""The checks of `fiftyone-gemini doctor`, and what it can repair.

A check never fails by an exception: what went wrong is its detail, what to do its advice.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from ..errors import SetupError
from .mongo import ensure_mongo, find_mongo
from .plugin import installed_plugin, link_plugin, plugins_folder

FIX = "Run `fiftyone-gemini doctor --fix`."
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
PROJECT = "GOOGLE_CLOUD_PROJECT"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the machine needs: whether it is there, and what to do if not."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def run_checks(*, fix: bool) -> list[Check]:
    """Check Python, packages, MongoDB, key, plugin and folders.

    With `fix`, first bring a MongoDB and write the plugin into FiftyOne's plugins folder
    where they are missing. What works is not touched.
    """
    return [
        check_python(),
        check_packages(),
        check_mongo(fix=fix),
        check_key(),
        check_plugin(fix=fix),
        check_folders(),
    ]


def check_python() -> Check:
    """Check that Python is new enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Check(
        "Python",
        sys.version_info >= (3, 11),
        f"{found} (tried with 3.11 to 3.13)",
        "Install Python 3.11, 3.12 or 3.13.",
    )


def check_packages() -> Check:
    """Check the version of every package that the project requires."""
    try:
        wanted = [Requirement(text) for text in requires("fiftyone-gemini") or ()]
    except PackageNotFoundError:
        detail = "fiftyone-gemini itself is not installed"
        return Check("packages", ok=False, detail=detail, advice="Run `pip install .`")
    wanted = [need for need in wanted if not need.marker or need.marker.evaluate()]
    missing = [problem for need in wanted if (problem := complaint(need))]
    if missing:
        advice = "Run `make setup`, or `pip install --upgrade fiftyone-gemini`."
        return Check("packages", ok=False, detail="; ".join(missing), advice=advice)
    return Check("packages", ok=True, detail=f"all {len(wanted)} are there")


def complaint(need: Requirement) -> str:
    """Say what is wrong with one required package, or ""."""
    try:
        found = version(need.name)
    except PackageNotFoundError:
        return f"{need.name} is missing"
    if need.specifier.contains(found, prereleases=True):
        return ""
    return f"{need.name} is {found}, needed is {need.specifier}"


def check_mongo(*, fix: bool) -> Check:
    """Check that FiftyOne has a database."""
    try:
        mongo = ensure_mongo() if fix else find_mongo()
    except SetupError as error:
        return Check("MongoDB", ok=False, detail=str(error), advice="" if fix else FIX)
    return Check("MongoDB", ok=True, detail=f"{mongo.version}, {mongo.source}")


def check_key() -> Check:
    """Say by which variable Gemini can be reached; never the key itself.

    No key is no failure: the demo and the emulator need none.
    """
    found = [name for name in (*KEYS, PROJECT) if os.environ.get(name)]
    if found:
        return Check("key", ok=True, detail=f"{' and '.join(found)} set")
    return Check(
        "key",
        ok=True,
        detail="none. The offline demo needs none; to ask Gemini, set GEMINI_API_KEY "
        "(https://aistudio.google.com/apikey) or GOOGLE_CLOUD_PROJECT.",
    )


def check_plugin(*, fix: bool) -> Check:
    """Check that FiftyOne finds the plugin in its plugins folder."""
    plugins = plugins_folder()
    try:
        found = installed_plugin(plugins)
        if fix and (found is None or not found.current):
            link_plugin(plugins)
            found = installed_plugin(plugins)
    except (SetupError, OSError) as error:
        return Check("plugin", ok=False, detail=str(error), advice=FIX)
    if found is None:
        return Check("plugin", ok=False, detail=f"not in {plugins}", advice=FIX)
    if not found.current:
        detail = f"{found.path} is of another version"
        return Check("plugin", ok=False, detail=detail, advice=FIX)
    return Check("plugin", ok=True, detail=str(found.path))


def check_folders() -> Check:
    """Check that FiftyOne's folder, the plugins folder and the temporary one take files."""
    folders = (Path.home() / ".fiftyone", plugins_folder(), Path(tempfile.gettempdir()))
    closed = [str(folder) for folder in folders if not writable(folder)]
    if closed:
        detail = f"cannot write to {', '.join(closed)}"
        advice = "Give yourself write access there, or set HOME to a folder of yours."
        return Check("folders", ok=False, detail=detail, advice=advice)
    return Check("folders", ok=True, detail="FiftyOne's folders can be written")


def writable(folder: Path) -> bool:
    """Tell whether a folder takes files, or can be made where it does not exist."""
    here = folder
    while not here.exists() and here != here.parent:
        here = here.parent
    return here.is_dir() and os.access(here, os.W_OK | os.X_OK)
