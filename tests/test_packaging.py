"""The wheel holds everything the project needs at run time, and nothing is listed twice."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from fiftyone_gemini import __version__

PREFIX = "fiftyone_gemini/"


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    """Give the content of `pyproject.toml`."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def packed(wheel: Path) -> set[str]:
    """Name the files of the package in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {n[len(PREFIX) :] for n in archive.namelist() if n.startswith(PREFIX)}


def files_below(folder: Path) -> set[str]:
    """Name the files below a folder, without compiled ones."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_folder_of_the_plugin_is_packed(project: dict, root: Path) -> None:
    """The packages named in pyproject.toml are the folders of plugin/ with code."""
    found = {
        ".".join(["fiftyone_gemini", *path.parent.relative_to(root / "plugin").parts])
        for path in (root / "plugin").rglob("__init__.py")
    }
    beside = {"fiftyone_gemini.datasets.demo", "fiftyone_gemini.manifest"}
    assert set(project["tool"]["setuptools"]["packages"]) == found | beside


def test_the_wheel_holds_code_weights_and_templates(
    packed: set[str], root: Path
) -> None:
    """Every file of plugin/ is in the wheel: modules, weights, templates, styles."""
    assert files_below(root / "plugin") <= packed


def test_the_wheel_holds_the_demo_set_and_the_manifest(
    packed: set[str], root: Path
) -> None:
    """The demo runs, and FiftyOne finds the plugin, without a checkout."""
    demo = {f"datasets/demo/{n}" for n in files_below(root / "datasets" / "demo")}
    assert {n for n in demo if n.endswith((".json", ".jpg"))} <= packed
    assert "datasets/demo/annotations.json" in packed
    assert {"manifest/fiftyone.yml", "manifest/assets/icon.svg"} <= packed


def test_the_wheel_is_small(wheel: Path) -> None:
    """The wheel stays under 5 MiB."""
    assert wheel.stat().st_size < 5 * 2**20


def test_the_installed_command_explains_itself(installed_wheel: Path) -> None:
    """`fiftyone-gemini --help` works from the wheel and names its subcommands."""
    run = subprocess.run(
        [sys.executable, installed_wheel / "bin" / "fiftyone-gemini", "--help"],
        env=os.environ | {"PYTHONPATH": str(installed_wheel), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for name in ("label", "evaluate", "export", "report", "demo", "emulator", "doctor"):
        assert re.search(rf"\b{name}\b", run.stdout)


def test_the_version_is_stated_alike_everywhere(root: Path) -> None:
    """Package and plugin manifest carry the same version."""
    manifest = yaml.safe_load((root / "fiftyone.yml").read_text("utf-8"))
    assert manifest["version"] == __version__


def test_every_dependency_is_pinned_and_explained(root: Path) -> None:
    """Each line of requirements.txt has a tested version and a reason in the docs."""
    lines = (root / "requirements.txt").read_text("utf-8").split()
    names = {re.split(r"[<>=!~]", line)[0] for line in lines}
    pins = (root / "constraints.txt").read_text("utf-8").splitlines()
    assert names <= {pin.split("==")[0] for pin in pins}
    reasons = (root / "docs" / "dependencies.md").read_text("utf-8")
    assert names <= set(re.findall(r"^\| `([^`]+)`", reasons, flags=re.MULTILINE))


def test_an_old_python_can_start_the_set_up(root: Path) -> None:
    """The bootstrap script is Python 3.8, so that it can look for a newer one."""
    source = (root / "scripts" / "bootstrap.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 8))


def test_the_constraints_name_no_host(root: Path) -> None:
    """constraints.txt holds versions alone, so that it works with any index."""
    text = (root / "constraints.txt").read_text("utf-8")
    assert "://" not in text
    assert "--" not in text
