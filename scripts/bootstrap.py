#!/usr/bin/env python3
"""Set up the project: `.venv`, all packages at tested versions, and a MongoDB.

Standard library only, and readable by any Python 3.8 or later: it looks for a Python
3.11 to 3.13 itself. `make setup` runs it once; running it again repairs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(SCRIPTS / ("python.exe" if os.name == "nt" else "python"))
USABLE = (
    "import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
)
DEV_GROUP = (
    "import tomllib; "
    "print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'],"
    " sep='\\n')"
)
NO_PYTHON = (
    "This needs Python 3.11, 3.12 or 3.13 with its venv module. "
    "Debian and Ubuntu: apt install python3-venv. Anywhere: install uv, https://docs.astral.sh/uv/"
)


def main() -> None:
    """Set everything up, saying what takes time."""
    start = time.monotonic()
    make_venv()
    install = installer()
    print("Installing packages ...", flush=True)
    install_packages(install)
    print(f"Packages are there ({time.monotonic() - start:.0f} s)", flush=True)
    call([PYTHON, "-m", "fiftyone_gemini.doctor.mongo"])


def make_venv() -> None:
    """Make `.venv`, unless one that works is there."""
    if works(PYTHON, "import sys"):
        return
    shutil.rmtree(str(VENV), ignore_errors=True)
    python = find_python()
    uv = shutil.which("uv")
    if python:
        call([python, "-m", "venv", str(VENV)])
    elif uv:
        call([uv, "venv", "--quiet", "--seed", "--python", "3.12", str(VENV)])
    else:
        sys.exit(NO_PYTHON)


def find_python() -> str | None:
    """Find a Python that can make the environment."""
    names = ("python3.13", "python3.12", "python3.11")
    found = [sys.executable, *(shutil.which(name) for name in names)]
    return next((path for path in found if path and works(path, USABLE)), None)


def works(python: str, code: str) -> bool:
    """Tell whether a Python runs some code without an error."""
    try:
        run = subprocess.run([python, "-c", code], capture_output=True, check=False)
    except OSError:
        return False
    return run.returncode == 0


def installer() -> list[str]:
    """Give the start of an install command: by uv, or by pip where uv cannot be had."""
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(SCRIPTS))
    if uv is None and subprocess.run([*pip, "uv>=0.9"], check=False).returncode == 0:
        uv = shutil.which("uv", path=str(SCRIPTS))
    if uv is None:
        print("Without uv this takes some minutes.", flush=True)
        return pip
    return [uv, "pip", "install", "--quiet", "--python", PYTHON]


def install_packages(install: list[str]) -> None:
    """Install what the project and its tests need, and the project itself, editable."""
    dev = subprocess.check_output([PYTHON, "-c", DEV_GROUP], cwd=ROOT, text=True)
    pinned = ["--constraint", "constraints.txt", "--requirement", "requirements.txt"]
    call([*install, *pinned, *dev.split("\n")[:-1]])
    call([*install, "--no-deps", "--no-build-isolation", "--editable", "."])


def call(command: list[str]) -> None:
    """Run a command in the repository; end with its exit code where it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
