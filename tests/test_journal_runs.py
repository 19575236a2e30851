"""Runs that share a journal, a disk that is full, and kills at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.upkeep import verify
from fiftyone_gemini.values import Status

pytestmark = pytest.mark.slow  # real processes, disks and kills

IN_FLIGHT = 2
SCENES = 24
SMALL_FILES = """
import resource
import sys
sys.dont_write_bytecode = True  # Python cuts those files short and believes them later
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
from fiftyone_gemini.cli import main
main()
"""
WRITE = """
import sys
from fiftyone_gemini.gemini.journal import Journal
start = int(sys.argv[2])
with Journal(sys.argv[1]) as journal:
    for n in range(start, start + 100_000):
        journal.add(str(n), str(n).encode() * 2000, model="m")
        print(n, flush=True)
"""


@pytest.fixture(scope="module")
def emulator_url() -> Iterator[str]:
    """Give the address of an emulator that takes its time."""
    with running_emulator(Settings(latency=0.05)) as emulator:
        yield emulator.url


def command(
    demo: Path,
    url: str,
    journal: Path,
    out: Path,
    *,
    small_files: bool = False,
) -> subprocess.Popen[str]:
    """Start `fiftyone-gemini label` on the demo scenes, by a journal.

    With `small_files` none of its files can grow over 100 kB, as on a full disk.
    """
    program = ["-c", SMALL_FILES] if small_files else ["-m", "fiftyone_gemini"]
    arguments = ["label", str(demo / "data"), "--out", str(out)]
    return subprocess.Popen(
        [
            *(sys.executable, *program, *arguments),
            *("--journal", str(journal), "--in-flight", str(IN_FLIGHT)),
        ],
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(url: str) -> int:
    """Count all requests to the emulator."""
    return len(httpx2.get(f"{url}/emulator/log").json())


def all_ok(out: Path) -> bool:
    """Tell whether every scene was labelled."""
    images = read_coco(out).images
    return Counter(i.status for i in images) == {Status.OK: SCENES}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 200 kB; skip where none can be mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("only root may mount a small disk")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def check_trouble(process: subprocess.Popen[str], journal: Path) -> int:
    """See a run end with one sentence and a sound journal; count its replies."""
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.startswith("error: ")
    assert "space" in stderr
    assert stderr.count("\n") == 1
    health = verify(journal)
    assert health.problems == ()
    assert 0 < health.replies < SCENES
    return health.replies


def test_a_full_disk_ends_the_run_and_is_resumed(
    demo: Path, emulator_url: str, tmp_path: Path
) -> None:
    """One sentence, nothing corrupted; with space again only the rest is asked."""
    journal, out = tmp_path / "journal.sqlite", tmp_path / "labels.json"
    start = asked(emulator_url)
    process = command(demo, emulator_url, journal, out, small_files=True)
    kept = check_trouble(process, journal)
    assert asked(emulator_url) - start <= kept + IN_FLIGHT
    before = asked(emulator_url)
    again = command(demo, emulator_url, journal, out)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert asked(emulator_url) - before == SCENES - kept
    assert all_ok(out)


def test_labels_and_journal_on_one_full_disk(
    demo: Path, emulator_url: str, small_disk: Path
) -> None:
    """Where not even the labels fit, the run still ends with a sentence and resumes."""
    journal, out = small_disk / "journal.sqlite", small_disk / "labels.json"
    kept = check_trouble(command(demo, emulator_url, journal, out), journal)
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    before = asked(emulator_url)
    again = command(demo, emulator_url, journal, out)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert asked(emulator_url) - before == SCENES - kept
    assert all_ok(out)


def test_two_runs_on_one_journal_lose_nothing(
    demo: Path, emulator_url: str, tmp_path: Path
) -> None:
    """Both label everything, and nothing is paid for twice: one waits for the other."""
    journal = tmp_path / "journal.sqlite"
    before = asked(emulator_url)
    outs = [tmp_path / "a.json", tmp_path / "b.json"]
    runs = [command(demo, emulator_url, journal, out) for out in outs]
    for run in runs:
        _, stderr = run.communicate(timeout=60)
        assert run.returncode == 0, stderr
    log = httpx2.get(f"{emulator_url}/emulator/log").json()[before:]
    paid = Counter(entry["picture"] for entry in log)
    assert len(paid) == SCENES
    assert max(paid.values()) == 1
    with Journal(journal) as book:
        assert len(book) == len(log)
    assert verify(journal).requests == SCENES
    assert all(all_ok(out) for out in outs)
    first, second = (json.loads(out.read_text())["annotations"] for out in outs)
    assert first == second


def test_no_kill_loses_a_reply_that_was_committed(tmp_path: Path) -> None:
    """`kill -9` at random moments of writing: all that was reported is there, whole."""
    journal, said, dice = tmp_path / "journal.sqlite", 0, random.Random(7)
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(journal), str(said)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        first = child.stdout.readline()  # from here on it is writing
        threading.Timer(dice.uniform(0, 0.1), child.kill).start()
        said = int(([first, *child.stdout.readlines()])[-1]) + 1
        assert child.wait() == -signal.SIGKILL
        health = verify(journal)
        assert health.problems == ()
        assert said <= health.requests <= said + 1
        said = health.requests
    with Journal(journal) as book:
        for number in range(said):
            assert book.find(str(number)) == str(number).encode() * 2000
