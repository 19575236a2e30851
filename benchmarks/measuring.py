"""What the benchmarks of evaluation and COCO files share: time in turns, write down."""

from __future__ import annotations

import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of CPU of two ways, round by round."""

    HEADER: ClassVar[str] = (
        "| what | ours, s | theirs, s | faster, CPU | faster, wall | goal |\n"
        "|---|---|---|---|---|---|"
    )
    what: str
    ours: list[tuple[float, float]]
    theirs: list[tuple[float, float]]

    def ratio(self, kind: int) -> float:
        """Give the median of the ratios within rounds: 0 for CPU, 1 for wall time."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(b[kind] / a[kind] for a, b in pairs)

    def row(self, goal: float | None = None) -> str:
        """Write a row of the table; a goal is judged by CPU time."""
        mine, other = (
            statistics.median(cpu for cpu, _ in side)
            for side in (self.ours, self.theirs)
        )
        cpu, wall = self.ratio(0), self.ratio(1)
        reached = "" if cpu >= (goal or 0) else "not "
        judged = "" if goal is None else f"{goal:g}x: {reached}reached"
        return (
            f"| {self.what} | {mine:.3f} | {other:.2f} | **{cpu:.1f}x** "
            f"| {wall:.1f}x | {judged} |"
        )


def timed(
    what: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    repeats: int = 3,
) -> Timing:
    """Do both in turns. Ours, much shorter, is repeated in each round: its median."""
    mine, other = [], []
    for _ in range(rounds):
        found = sorted(_seconds(ours) for _ in range(repeats))
        mine.append(found[repeats // 2])
        other.append(_seconds(theirs))
    return Timing(what, mine, other)


def _seconds(do: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of all threads of this process, and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    do()
    return time.process_time() - cpu, time.perf_counter() - wall


@contextmanager
def private_fiftyone() -> Iterator[None]:
    """Give FiftyOne a database and a home of its own; import it only inside."""
    from fiftyone_gemini.doctor.mongo import private_mongod

    with tempfile.TemporaryDirectory() as home, private_mongod(Path(home)) as running:
        os.environ |= {
            "HOME": home,
            "FIFTYONE_DATABASE_URI": running.uri,
            "FIFTYONE_DATABASE_VALIDATION": "false",
            "FIFTYONE_DO_NOT_TRACK": "true",
            "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        }
        yield


def heading(packages: Sequence[str], how: str) -> str:
    """Say when, on what and with what was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores shared with other work, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}. {how}; "
        "medians, ratios taken within each round."
    )


def write_docs(mark: str, lines: Sequence[str]) -> None:
    """Put lines between the two marks of this name in `docs/speed.md`."""
    marked = re.compile(
        rf"(<!-- measured: {mark} -->\n).*(<!-- end: {mark} -->)", re.DOTALL
    )
    page = PAGE.read_text("utf-8")
    text = "".join(f"{line}\n" for line in lines)
    PAGE.write_text(marked.sub(lambda m: m[1] + text + m[2], page), "utf-8")
