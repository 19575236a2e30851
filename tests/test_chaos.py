"""Everything goes wrong at once, and three times the power is pulled: nothing is lost.

2,000 pictures, one request in five faulty, `kill -9` at three random moments. The labels
are compared with the truth, the statuses and the bill with the emulator's own log.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Status
from PIL import Image

ITEMS = 2000
KILLS = 3
IN_FLIGHT = 32
SEED = 20261122
SIDE = 16
PASSING = "429:0.03,429bare:0.02,500:0.02,503:0.03,html502:0.02,slow:0.02,cut:0.02,"
STAYING = "nocandidates:0.01,blocked:0.01,truncated:0.01,malformed:0.01"
ENDS_AS = {
    "nocandidates": Status.MALFORMED,
    "blocked": Status.BLOCKED,
    "truncated": Status.TRUNCATED,
    "malformed": Status.MALFORMED,
}
"""How an item ends whose every answer is of this kind; all others end as ok."""
FAULT_CODES = {"429": 429, "429bare": 429, "500": 500, "503": 503, "html502": 502}


@dataclass(frozen=True)
class Story:
    """What happened: when it was killed, what the emulator saw, what was printed."""

    kills: tuple[datetime, ...]
    log: list[dict]
    printed: str

    def paid(self) -> dict[str, list[datetime]]:
        """Give for each picture when an answer left the emulator whole."""
        times = defaultdict(list)
        for entry in self.log:
            if entry["status"] == 200 and entry["fault"] != "cut":
                when = datetime.fromisoformat(entry["time"])
                times[entry["picture"]].append(when)
        return times

    def faults(self) -> dict[str, set[str]]:
        """Give for each picture the faults that it met."""
        met = defaultdict(set)
        for entry in self.log:
            met[entry["picture"]].add(entry["fault"])
        return met


def draw_pictures(folder: Path) -> list[ImageLabels]:
    """Draw small pictures of noise, each with one or two true objects."""
    folder.mkdir()
    dice = np.random.default_rng(SEED)
    images = []
    for number in range(ITEMS):
        path = folder / f"{number:04}.png"
        Image.fromarray(dice.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
        boxes = [
            Box(*map(float, (*dice.integers(0, 8, 2), *dice.integers(2, 9, 2))))
            for _ in range(dice.integers(1, 3))
        ]
        detections = tuple(
            Detection(("cup", "pen")[i], box, id=str(i)) for i, box in enumerate(boxes)
        )
        images.append(
            ImageLabels(str(number + 1), str(path), Frame(SIDE, SIDE), detections)
        )
    return images


def start(folder: Path, url: str) -> subprocess.Popen[str]:
    """Start the command that labels all pictures: always the same one."""
    command = [sys.executable, "-m", "fiftyone_gemini", "label", "truth.json"]
    return subprocess.Popen(
        [*command, "--in-flight", str(IN_FLIGHT), "--out", "labels.json"],
        cwd=folder,
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(folder: Path, replies: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many replies are in the journal."""
    file = folder / "fiftyone-gemini-journal.sqlite"
    while process.poll() is None:
        if file.exists():
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
                tables = "SELECT count(*) FROM sqlite_master WHERE name = 'reply'"
                if database.execute(tables).fetchone()[0]:
                    count = database.execute("SELECT count(*) FROM reply").fetchone()
                    if count[0] >= replies:
                        return
            database.close()
        time.sleep(0.02)
    pytest.fail(f"ended before {replies} replies:\n{process.communicate()[0]}")


def kill_and_resume(folder: Path, url: str) -> tuple[tuple[datetime, ...], str]:
    """Kill the run three times at random moments, then let it end."""
    dice = random.Random(SEED)
    kills = []
    for moment in sorted(dice.sample(range(50, ITEMS - 100), KILLS)):
        process = start(folder, url)
        wait_for(folder, moment, process)
        time.sleep(dice.uniform(0, 0.3))
        kills.append(datetime.now(UTC))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (folder / "labels.json").exists()
    process = start(folder, url)
    printed = process.communicate(timeout=120)[0]
    assert process.returncode == 0, printed
    return tuple(kills), printed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a working folder with 2,000 pictures and their truth."""
    folder = tmp_path_factory.mktemp("chaos")
    write_coco(folder / "truth.json", draw_pictures(folder / "data"))
    return folder


@pytest.fixture(scope="module")
def story(folder: Path) -> Story:
    """Live through it once."""
    settings = Settings(
        truth=str(folder / "truth.json"),
        images=str(folder / "data"),
        faults=PASSING + STAYING,
        slow_seconds=1.0,
        latency=0.1,
        seed=SEED,
    )
    with running_emulator(settings) as emulator:
        kills, printed = kill_and_resume(folder, emulator.url)
        with urlopen(f"{emulator.url}/emulator/log") as reply:
            log = json.loads(reply.read())
    return Story(kills, log, printed)


def names(folder: Path) -> dict[str, str]:
    """Give the file name of each picture by the hash that the log uses."""
    return {
        sha256(path.read_bytes()).hexdigest()[:16]: path.name
        for path in (folder / "data").iterdir()
    }


@pytest.mark.slow
def test_chaos_every_item_ends_as_its_faults_explain(
    folder: Path, story: Story
) -> None:
    """Faults that pass end as ok; those that stay end as what they are."""
    labels = read_coco(folder / "labels.json", folder / "data").images
    ended = {Path(image.path).name: image.status for image in labels}
    met, name = story.faults(), names(folder)
    expected = {
        name[picture]: next((ENDS_AS[f] for f in faults if f in ENDS_AS), Status.OK)
        for picture, faults in met.items()
    }
    assert len(ended) == ITEMS
    assert ended == expected
    assert set().union(*met.values()) == {*FAULT_CODES, *ENDS_AS, "slow", "cut", ""}
    faulty = sum(faults != {""} for faults in met.values())
    assert 0.17 <= faulty / ITEMS <= 0.23


@pytest.mark.slow
def test_chaos_all_labels_are_right(folder: Path, story: Story) -> None:
    """Every item that ended as ok has exactly the boxes and labels of the truth."""
    truth = {
        i.path: i for i in read_coco(folder / "truth.json", folder / "data").images
    }
    labels = read_coco(folder / "labels.json", folder / "data").images
    right = 0
    for image in labels:
        if image.status is not Status.OK:
            continue
        true = truth[image.path].detections
        assert [d.label for d in image.detections] == [d.label for d in true]
        for said, wanted in zip(image.detections, true, strict=True):
            assert said.box.xywh_px == pytest.approx(wanted.box.xywh_px, abs=0.02)
        right += 1
    assert right >= 0.94 * ITEMS
    assert f"{right} ok" in story.printed


@pytest.mark.slow
def test_chaos_nothing_is_paid_twice_but_what_was_in_flight(story: Story) -> None:
    """The emulator's log: each answer was given once, or again after a kill."""
    paid = story.paid()
    assert len(paid) == ITEMS
    twice = {picture: times for picture, times in paid.items() if len(times) > 1}
    again = sum(len(times) - 1 for times in twice.values())
    assert again <= KILLS * IN_FLIGHT
    for times in twice.values():
        first, *later = sorted(times)
        killed = [k for k in story.kills if later[0] > k]
        # Answered so shortly before the kill that it cannot have been on disk, or after.
        assert any((k - first).total_seconds() < 1.0 for k in killed)
    per_kill = Counter(
        max(kill for kill in story.kills if kill < time)
        for times in twice.values()
        for time in sorted(times)[1:]
    )
    assert all(number <= IN_FLIGHT for number in per_kill.values())
    print(f"{again} of {ITEMS} answers were paid twice, by {KILLS} kills")
