"""Measure how fast replies are read, in pairs against the other ways to do it.

Every round reads the same reply in every way, in a turning order; what counts is the
ratio within a round, of CPU time, and of these the median. Memory is the growth of the
peak of a fresh process. `--write-docs` writes the tables into `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from fiftyone_gemini.values import Frame
from pycocotools import mask as coco_mask
from replies import Kind, make_reply
from rivals import (
    Reader,
    by_docs_loop,
    by_supervision,
    by_supervision_rle,
    ours,
    ours_rle,
)

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
MARKED = re.compile(r"(<!-- measured -->\n).*(<!-- end -->)", re.DOTALL)
SMALL, LARGE = Frame(640, 480), Frame(4000, 3000)
OBJECTS, MANY_OBJECTS = 10, 50
AT_LEAST_SECONDS = 0.02
"""CPU time of one measurement; short readings are repeated until it is reached."""
READERS: dict[str, Reader] = {"ours": ours_rle, "supervision": by_supervision}
"""What the memory of one process is measured of."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways to the same thing, and how many times faster the first should be."""

    what: str
    ours: Reader
    other: Reader
    goals: dict[Frame, float | None]


MASKS = Pair("masks; supervision", ours, by_supervision, {SMALL: 2.5, LARGE: 9})
RLE = Pair(
    "masks and RLE; supervision + pycocotools",
    ours_rle,
    by_supervision_rle,
    {SMALL: 3, LARGE: 25},
)
LOOP = Pair("masks; loop of Google's docs", ours, by_docs_loop, {})
POLYGONS = Pair("masks; supervision", ours, by_supervision, {LARGE: 50})
POLYGON_RLE = Pair(RLE.what, ours_rle, by_supervision_rle, {LARGE: 50})
PAIRS = {
    Kind.TWO_LEVEL: (MASKS, RLE, LOOP),
    Kind.GREY: (MASKS, RLE),
    Kind.FILTERED: (MASKS, RLE),
    Kind.POLYGON: (POLYGONS, POLYGON_RLE),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one pair came to: CPU milliseconds a reply, and the ratios of all rounds."""

    kind: Kind
    frame: Frame
    pair: Pair
    ours_ms: float
    other_ms: float
    ratios: list[float]

    def __str__(self) -> str:
        """Write a row of the table."""
        low, middle, high = statistics.quantiles(self.ratios, n=4)
        goal = self.pair.goals.get(self.frame)
        judged = "" if goal is None else f"{goal:g}x: {_verdict(middle >= goal)}"
        return (
            f"| {self.kind} | {self.frame.width} x {self.frame.height} "
            f"| {self.pair.what} | {self.ours_ms:.2f} | {self.other_ms:.1f} "
            f"| **{middle:.1f}x** ({low:.1f} to {high:.1f}) | {judged} |"
        )


def _verdict(reached: object) -> str:
    return "reached" if reached else "not reached"


def measure(kind: Kind, frame: Frame, rounds: int) -> Iterator[Row]:
    """Time all pairs of one kind of reply in one frame size."""
    readers = {r for pair in PAIRS[kind] for r in (pair.ours, pair.other)}
    order = sorted(readers, key=lambda reader: reader.__name__)
    taken: dict[Reader, list[float]] = {reader: [] for reader in order}
    for number in range(rounds):
        text = make_reply(kind, OBJECTS, seed=number)
        for reader in order[number % len(order) :] + order[: number % len(order)]:
            taken[reader].append(_cpu_ms(partial(reader, text, kind, frame)))
    for pair in PAIRS[kind]:
        mine, other = taken[pair.ours], taken[pair.other]
        ratios = [b / a for a, b in zip(mine, other, strict=True)]
        medians = statistics.median(mine), statistics.median(other)
        yield Row(kind, frame, pair, *medians, ratios)


def _cpu_ms(read: Callable[[], object]) -> float:
    """CPU milliseconds, of all threads, of one reading."""
    times = 0
    start = now = time.process_time()
    while now - start < AT_LEAST_SECONDS:
        read()
        times += 1
        now = time.process_time()
    return (now - start) / times * 1000


def check(kind: Kind, frame: Frame) -> float:
    """Compare pixels: RLE must be pycocotools' own; give the mean IoU to supervision."""
    text = make_reply(kind, OBJECTS, seed=0)
    reading, runs = ours_rle(text, kind, frame)
    whole = by_supervision(text, kind, frame).mask
    assert whole is not None
    assert len(whole) == len(runs) == OBJECTS
    ious = []
    for detection, rle, theirs in zip(reading.detections, runs, whole, strict=True):
        mask = detection.mask
        assert mask is not None
        painted = np.zeros_like(theirs)
        height, width = mask.crop.shape
        painted[mask.y : mask.y + height, mask.x : mask.x + width] = mask.crop
        encoded = coco_mask.encode(np.asfortranarray(painted.view(np.uint8)))
        assert encoded["counts"].decode() == rle.counts
        ious.append((painted & theirs).sum() / (painted | theirs).sum())
    return float(np.mean(ious))


def peak_mb(reader: str, kind: Kind) -> float:
    """Megabytes by which a fresh process grows at its peak."""
    command = [sys.executable, __file__, "--peak", reader, kind.name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_peak(reader: str, kind: Kind) -> None:
    """Read one reply of many objects in this process and print by how much it grew.

    Reads `/proc`, because the `ru_maxrss` of a child starts at that of its parent.
    """
    text = make_reply(kind, MANY_OBJECTS, seed=1)
    READERS[reader](make_reply(kind, 2, seed=2), kind, Frame(64, 48))
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status_mb("VmRSS")
    kept = READERS[reader](text, kind, LARGE)
    print(_status_mb("VmHWM") - before)
    del kept


def _status_mb(field: str) -> float:
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def tables(rounds: int) -> Iterator[str]:
    """Measure everything and write it down, line by line."""
    yield from _heading(rounds)
    yield "| masks | frame | what; compared with | ours, ms | other, ms | faster | goal |"
    yield "|---|---|---|---|---|---|---|"
    for kind in Kind:
        for frame in (SMALL, LARGE):
            yield from map(str, measure(kind, frame, rounds))
    yield ""
    yield "| masks | ours with RLE, MB | supervision without, MB | less | goal |"
    yield "|---|---|---|---|---|"
    for kind in Kind:
        mine = statistics.median(peak_mb("ours", kind) for _ in range(3))
        other = statistics.median(peak_mb("supervision", kind) for _ in range(3))
        reached = _verdict(other >= 25 * mine)
        yield f"| {kind} | {mine:.1f} | {other:.0f} | **{other / mine:.0f}x** | 25x: {reached} |"
    yield ""
    fits = [
        f"{kind} {check(kind, SMALL):.3f} and {check(kind, LARGE):.3f}" for kind in Kind
    ]
    yield (
        "Each RLE was equal to that of `pycocotools.mask.encode`, byte for byte. Mean IoU "
        f"of our masks with supervision's, at both sizes: {', '.join(fits)}."
    )


def _heading(rounds: int) -> Iterator[str]:
    names = ("supervision", "pycocotools", "numpy", "opencv-python-headless", "pillow")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores shared with other work, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}. "
        f"{OBJECTS} objects a reply, {rounds} rounds, CPU time; of the ratios the median "
        "and the middle half."
    )
    yield ""


def main() -> None:
    """Print the tables, or the peak of this one process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--peak", nargs=2, metavar=("READER", "KIND"))
    options = parser.parse_args()
    cv2.setNumThreads(1)  # for all: CPU time counts every thread
    if options.peak:
        print_peak(options.peak[0], Kind[options.peak[1]])
        return
    lines = []
    for line in tables(options.rounds):
        print(line, flush=True)
        lines.append(line + "\n")
    if options.write_docs:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(MARKED.sub(lambda m: m[1] + "".join(lines) + m[2], page))


if __name__ == "__main__":
    main()
