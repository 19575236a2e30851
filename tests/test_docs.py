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
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ELSEWHERE = {
    "pip install .": "tests/test_packaging.py",
    "fiftyone-gemini doctor --fix": "tests/test_packaging.py",
    "fiftyone-gemini label --dataset": "tests/test_cli_words.py",
    "fiftyone-gemini flatten": "tests/test_labels_frames.py",
    "fiftyone-gemini refine": "tests/test_labels_frames.py",
    "fiftyone-gemini demo": "tests/test_offline_demo.py",
    "fiftyone plugins": "tests/test_plugin_loads.py",
    "fiftyone-gemini work manifest.jsonl --beam": "tests/test_shards_beam.py",
    "fiftyone-gemini emulator": "tests/test_emulator_server.py",
    "python -m datasets.": "tests/test_datasets_scenes.py",
    ".ci/run": ".ci/run",
    "git clone": "the reader",
}
"""Beginnings of commands that are run for real by another test file."""


def blocks(page: Path, language: str) -> list[str]:
    """Give the code blocks of one language of a page."""
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def pages(language: str) -> list[object]:
    """Give the pages that have code blocks of a language."""
    return [pytest.param(p, id=p.name) for p in PAGES if blocks(p, language)]


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


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """Give a folder like a reader's: `photos/`, `truth.json`, labels to judge."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    shutil.copytree(ROOT / "datasets" / "videos" / "data", folder / "videos")
    for picture in sorted((demo / "data").glob("*.jpg"))[:3]:
        shutil.copy(picture, folder / "photos")
    from fiftyone_gemini.coco.read import read_coco
    from fiftyone_gemini.coco.write import write_coco

    images = read_coco(demo / "annotations.json").images[:3]
    write_coco(folder / "truth.json", images)
    for name in ("labels.json", "other.json"):
        write_coco(folder / name, images)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", pages("sh"))
def test_the_commands_of_a_page_run(page: Path, desk: Path, emulator_url: str) -> None:
    """Every command is a make target, is run here, or is run by a test that exists."""
    for command in commands("\n".join(blocks(page, "sh"))):
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
@pytest.mark.parametrize("page", pages("python"))
def test_the_python_of_a_page_runs(
    page: Path,
    demo: Path,
    desk: Path,
    emulator_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The Python blocks of a page run one after the other, as a reader runs them."""
    from fiftyone_gemini.coco.read import read_coco
    from fiftyone_gemini.labels.create import create_dataset

    images = read_coco(demo / "annotations.json").images[:8]
    dataset = create_dataset("gemini-demo", images)
    monkeypatch.chdir(desk)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator_url)
    namespace: dict[str, object] = {"__name__": "page"}
    try:
        for text in blocks(page, "python"):
            exec(compile(text, page.name, "exec"), namespace)
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
