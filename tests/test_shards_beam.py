"""Shards on Apache Beam, in an environment of workers: without FiftyOne, with Beam.

The environment is made once and kept in pytest's cache. The pipeline is really killed
and run again; the emulator's log tells what was paid twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from fiftyone_gemini.asking import Asking
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import CocoDataset, read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.shards.manifest import Manifest, write_manifest
from fiftyone_gemini.shards.merge import merge
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Question, Status
from PIL import Image

ITEMS = 120
SHARDS = 8
WORKERS = 2
IN_FLIGHT = 4
KILL_AT = (50,)
"""After how many answers the pipeline is killed."""
BEAM = "apache-beam==2.77.0"
BEAM_OPTIONS = (
    *(f"--direct_num_workers={WORKERS}", "--direct_running_mode=multi_processing"),
)


@pytest.fixture(scope="module")
def worker_python(root: Path, request: pytest.FixtureRequest) -> Path:
    """Give a Python with what a worker needs and Beam; made on first use (10 s)."""
    needed = [
        line
        for line in (root / "requirements.txt").read_text().splitlines()
        if not line.startswith("fiftyone")
    ]
    # Beam wants pillow<13, so that the tested version of it cannot be held here.
    pins = [
        line
        for line in (root / "constraints.txt").read_text().splitlines()
        if not line.startswith("pillow==")
    ]
    text = "\n".join([*needed, BEAM, *pins, sys.version])
    folder = request.config.cache.mkdir("beam")
    home = folder / hashlib.sha256(text.encode()).hexdigest()[:12]
    (folder / "pins.txt").write_text("\n".join(pins))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            make_environment(home, [*needed, BEAM], folder / "pins.txt")
    return home / "bin" / "python"


def make_environment(home: Path, needed: list[str], pins: Path) -> None:
    """Make an environment by uv, or by pip; skip where nothing can be downloaded."""
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    python = str(home / "bin" / "python")
    by_uv = [str(uv), "pip", "install", "--quiet", "--python", python]
    by_pip = [python, "-m", "pip", "install", "--quiet"]
    install = [*(by_uv if uv else by_pip), "--constraint", str(pins), *needed]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Apache Beam cannot be installed here: {done.stderr[-300:]}")
    (home / "ready").touch()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give pictures of noise with one true object each, and their truth."""
    folder = tmp_path_factory.mktemp("beam")
    (folder / "data").mkdir()
    dice = np.random.default_rng(20261125)
    images = []
    for number in range(ITEMS):
        path = folder / "data" / f"{number:03}.png"
        Image.fromarray(dice.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
        box = Box(*map(float, (*dice.integers(0, 8, 2), *dice.integers(2, 9, 2))))
        found = (Detection("cup", box, id="0"),)
        images.append(ImageLabels(str(number + 1), str(path), Frame(16, 16), found))
    write_coco(folder / "truth.json", images)
    return folder


def truth_of(folder: Path) -> CocoDataset:
    """Read the truth."""
    return read_coco(folder / "truth.json", folder / "data")


def plan(folder: Path) -> Manifest:
    """Write a manifest of all pictures."""
    asking = Asking.about(Question("detect"), "gemini-3.8-flash")
    source = FolderSource(truth_of(folder))
    return write_manifest(str(folder / "m.jsonl"), source, asking, shards=SHARDS)


def start(
    python: Path, package: Path, folder: Path, url: str
) -> subprocess.Popen[bytes]:
    """Start the pipeline, in a session of its own with all its workers."""
    command = ["work", "m.jsonl", "--beam", "--out", "replies"]
    command += ["--in-flight", str(IN_FLIGHT), "--", *BEAM_OPTIONS]
    with (folder / "printed.txt").open("ab") as printed:
        return subprocess.Popen(
            [python, "-m", "fiftyone_gemini", *command],
            cwd=folder,
            env={
                **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
                "PYTHONPATH": str(package),
                "GOOGLE_GEMINI_BASE_URL": url,
                "TMPDIR": str(folder),
            },
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def answers(url: str) -> Counter[str]:
    """Count by picture what the emulator has answered."""
    with urlopen(f"{url}/emulator/log") as reply:
        log = json.loads(reply.read())
    return Counter(entry["picture"] for entry in log if entry["status"] == 200)


def kill_at(process: subprocess.Popen[bytes], url: str, count: int) -> None:
    """Kill the pipeline and all its workers after so many answers."""
    deadline = time.monotonic() + 120
    while answers(url).total() < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_pipeline_goes_on_and_every_item_is_there_once(
    worker_python: Path, installed_wheel: Path, folder: Path
) -> None:
    """A `kill -9` of Beam and its workers; at most what was in flight is paid twice."""
    manifest = plan(folder)
    settings = Settings(
        truth=str(folder / "truth.json"), images=str(folder / "data"), latency=0.3
    )
    with running_emulator(settings) as emulator:
        for count in KILL_AT:
            process = start(worker_python, installed_wheel, folder, emulator.url)
            kill_at(process, emulator.url, count)
        process = start(worker_python, installed_wheel, folder, emulator.url)
        assert process.wait(240) == 0, (folder / "printed.txt").read_text()[-3000:]
        paid = answers(emulator.url)
        process = start(worker_python, installed_wheel, folder, emulator.url)
        assert process.wait(60) == 0
        assert answers(emulator.url) == paid
    assert len(paid) == ITEMS
    assert paid.total() - ITEMS <= len(KILL_AT) * WORKERS * IN_FLIGHT
    print(f"{paid.total() - ITEMS} of {ITEMS} answers paid twice, by a kill")
    merge(manifest, str(folder / "replies"), CocoSink(folder / "labels.json"))
    labels = read_coco(folder / "labels.json", folder / "data").images
    assert [image.status for image in labels] == [Status.OK] * ITEMS
    for said, true in zip(labels, truth_of(folder).images, strict=True):
        assert said.image_id == true.image_id
        (found,), (wanted,) = said.detections, true.detections
        assert found.box.xywh_px == pytest.approx(wanted.box.xywh_px, abs=0.02)


@pytest.mark.slow
def test_no_key_goes_into_the_pipeline(
    worker_python: Path, installed_wheel: Path, folder: Path
) -> None:
    """What Beam is given to keep and to show holds no key; and FiftyOne is not there."""
    code = (
        "import importlib.util\n"
        "from apache_beam.internal import pickler\n"
        "from fiftyone_gemini.shards.beam import step_of\n"
        "from fiftyone_gemini.shards.work import Terms\n"
        "assert importlib.util.find_spec('fiftyone') is None\n"
        "step = pickler.loads(pickler.dumps(step_of('m.jsonl', 'out', Terms())))\n"
        "assert step.manifest == 'm.jsonl'\n"
        "assert step.environ == {'GOOGLE_CLOUD_PROJECT': 'p'}, step.environ\n"
    )
    environ = {"GEMINI_API_KEY": "AIza-secret", "GOOGLE_CLOUD_PROJECT": "p"}
    subprocess.run(
        [worker_python, "-c", code],
        env={"PYTHONPATH": str(installed_wheel), "PATH": os.environ["PATH"], **environ},
        check=True,
    )


@pytest.mark.slow
def test_without_beam_the_way_to_it_is_said(folder: Path) -> None:
    """`work --beam` where Beam is not installed is one sentence."""
    plan(folder)
    code = (
        "import sys; sys.modules['apache_beam'] = None;"
        "from fiftyone_gemini.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "work", "m.jsonl", "--beam", "--out", "x"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'fiftyone-gemini[beam]'" in done.stderr
