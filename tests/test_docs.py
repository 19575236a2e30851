"""Every command and code block of the README and the docs does what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ELSEWHERE = {
    "pip install .": "tests/test_packaging.py",
    "fiftyone-gemini doctor --fix": "tests/test_packaging.py",
    "fiftyone-gemini demo": "tests/test_offline_demo.py",
    "fiftyone plugins": "tests/test_plugin_loads.py",
    "fiftyone-gemini emulator": "tests/test_emulator_server.py",
    "python -m datasets.": "tests/test_datasets_scenes.py",
    "git clone": "the reader",
}
"""Beginnings of commands that are run for real by another test file."""


def blocks(language: str) -> list[object]:
    """Give the code blocks of one language of all pages."""
    return [
        pytest.param(text, id=f"{page.name}-{number}")
        for page in PAGES
        if page.exists()
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
        if kind == language
    ]


def commands(text: str) -> list[str]:
    """Give the commands of a shell block, without comments."""
    lines = text.replace("\\\n", " ").splitlines()
    return [c for line in lines if (c := line.split("  #")[0].split(" # ")[0].strip())]


@pytest.fixture(scope="module")
def emulator_url() -> Iterator[str]:
    """Give the address of an emulator that looks at the pixels."""
    from fiftyone_gemini.emulator import Settings, running_emulator

    with running_emulator(Settings()) as emulator:
        yield emulator.url


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """Give a folder like a reader's: `photos/`, `truth.json`, labels to judge."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    for picture in sorted((demo / "data").glob("*.jpg"))[:3]:
        shutil.copy(picture, folder / "photos")
    from fiftyone_gemini.coco.read import read_coco
    from fiftyone_gemini.coco.write import write_coco

    images = read_coco(demo / "annotations.json").images[:3]
    write_coco(folder / "truth.json", images)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("text", blocks("sh"))
def test_a_shell_block_runs(text: str, desk: Path, emulator_url: str) -> None:
    """Every command is a make target, is run here, or is run by a test that exists."""
    for command in commands(text):
        if command.startswith("export "):
            assert re.fullmatch(r"export [A-Z_]+=\S+", command)
        elif command.startswith("make "):
            subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True)
        elif known := next((k for k in ELSEWHERE if command.startswith(k)), None):
            assert (
                ELSEWHERE[known] == "the reader" or (ROOT / ELSEWHERE[known]).exists()
            )
        else:
            run_command(command, desk, emulator_url)


def run_command(command: str, desk: Path, emulator_url: str) -> None:
    """Run a `fiftyone-gemini` command at the reader's desk."""
    name, *arguments = shlex.split(command)
    assert name == "fiftyone-gemini", f"no test knows how to run: {command}"
    done = subprocess.run(
        [sys.executable, "-m", "fiftyone_gemini", *arguments],
        cwd=desk,
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": emulator_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("text", blocks("python"))
def test_a_python_block_runs(
    text: str,
    demo: Path,
    emulator_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every Python block runs as it stands, on a small demo dataset."""
    from fiftyone_gemini.coco.read import read_coco
    from fiftyone_gemini.labels.create import create_dataset

    images = read_coco(demo / "annotations.json").images[:8]
    dataset = create_dataset("gemini-demo", images)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator_url)
    try:
        exec(compile(text, "block", "exec"), {"__name__": "block"})
    finally:
        dataset.delete()


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link and picture of a page exists."""
    lost = [
        f"{page.name}: {target}"
        for page in PAGES
        if page.exists()
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not lost
