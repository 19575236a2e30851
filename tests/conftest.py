"""Fixtures shared by all tests, and a private MongoDB before FiftyOne is imported.

The server starts (0.5 s) when something imports FiftyOne for the first time, be it a
test module or a function it calls; tests without FiftyOne never wait for it. No test
sees the home folder, the settings, the database or the key of whoever runs it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import fiftyone as fo

ROOT = Path(__file__).resolve().parents[1]
KEPT = ExitStack()
"""Closed when the process ends: FiftyOne's own clean-up there still needs MongoDB."""

# A test says what happens, never how fast: machines that run it are busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SECRETS = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GENAI_USE_VERTEXAI"),
    *("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
)


def pytest_configure() -> None:
    """Turn to a private home folder before anything looks at the real one."""
    if "fiftyone" in sys.modules:
        raise pytest.UsageError("fiftyone was imported before tests/conftest.py")
    for name in [*SECRETS, *(n for n in os.environ if n.startswith("FIFTYONE_"))]:
        os.environ.pop(name, None)
    home = Path(tempfile.mkdtemp(prefix="fiftyone-gemini-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    plugins = home / "plugins"
    plugins.mkdir()
    (plugins / "fiftyone-gemini").symlink_to(ROOT)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ |= {
        "HOME": str(home),
        "FIFTYONE_PLUGINS_DIR": str(plugins),
        "FIFTYONE_DATABASE_NAME": f"fiftyone-gemini-test-{worker}",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }
    sys.meta_path.insert(0, MongoBeforeFiftyOne())


class MongoBeforeFiftyOne(MetaPathFinder):
    """Start MongoDB at the first import of FiftyOne, which connects while imported."""

    def find_spec(self, name: str, *_: Any) -> None:
        """Find nothing: only take notice."""
        if name == "fiftyone":
            start_mongo()


@cache
def start_mongo() -> str:
    """Start the private MongoDB, for this process and those it starts."""
    from fiftyone_gemini.doctor.mongo import private_mongod

    # It looks for FiftyOne's folder, and that must not lead here again.
    sys.meta_path[:] = [f for f in sys.meta_path if type(f) is not MongoBeforeFiftyOne]
    atexit.register(KEPT.close)
    running = KEPT.enter_context(private_mongod(Path(os.environ["HOME"]) / "db"))
    os.environ["FIFTYONE_DATABASE_URI"] = running.uri
    return running.uri


@pytest.fixture(scope="session")
def mongo_uri() -> str:
    """Give the address of the private MongoDB; for tests that start other programs."""
    return start_mongo()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, offline and from a copy, so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in ("plugin", "datasets/demo", "assets"):
        hidden = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=hidden)
    for name in ("pyproject.toml", "requirements.txt", "fiftyone.yml"):
        shutil.copy(ROOT / name, source)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "."]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    return next((source / "dist").glob("*.whl"))


@pytest.fixture(scope="session")
def installed_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into a folder, to be put on PYTHONPATH."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", target, wheel], check=True)
    return target


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Give a FiftyOne dataset of four plain 64x48 pictures, deleted afterwards."""
    import fiftyone as fo
    from PIL import Image

    made = fo.Dataset()
    for number in range(4):
        path = tmp_path / f"{number}.jpg"
        Image.new("RGB", (64, 48), (number * 40, 0, 0)).save(path)
        made.add_sample(fo.Sample(str(path)))
    yield made
    made.delete()


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of outside material (photos, replies); skip where absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder shared/ beside the repository is absent")
    return folder


@pytest.fixture(scope="session")
def demo() -> Path:
    """Give the committed demo set: `annotations.json` and `data/`."""
    return ROOT / "datasets" / "demo"
