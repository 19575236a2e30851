"""Files of labels of any kind: COCO for objects, JSON Lines for what COCO cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from ..values import ImageLabels, Run
from .folder import attempt_path
from .lines_read import is_lines, read_lines
from .pictures import with_ids_of
from .read import read_coco
from .runs import read_run
from .write import Category


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The labels of a file, each ask by itself, and the run that made them.

    `categories` are the classes of a COCO file.
    """

    asks: tuple[tuple[ImageLabels, ...], ...]
    run: Run | None
    categories: tuple[Category, ...] | None = None

    @property
    def images(self) -> tuple[ImageLabels, ...]:
        """The labels of the first ask."""
        return self.asks[0]

    def told_by(self, truth: LabelFile, name: str) -> LabelFile:
        """Take over the ids of a truth of the same pictures; raises `UsageError`."""
        asks = (with_ids_of(truth.images, ask, name) for ask in self.asks)
        return replace(self, asks=tuple(asks))


@dataclass(frozen=True, slots=True)
class AllAsks:
    """The labels of every ask, the records of all files, and the classes of the first."""

    asks: tuple[tuple[ImageLabels, ...], ...]
    runs: tuple[Run | None, ...]
    categories: tuple[Category, ...] | None


def read_label_file(path: Path) -> LabelFile:
    """Read a file of either form; raises FormatError."""
    if is_lines(path):
        lines = read_lines(path)
        return LabelFile(lines.asks, lines.run)
    coco = read_coco(path)
    return LabelFile((coco.images,), read_run(path), coco.categories)


def read_all_asks(paths: Sequence[Path]) -> AllAsks:
    """Read what was asked several times; one file brings those of its further asks."""
    files = [read_label_file(path) for path in paths]
    if len(files) == 1:
        files += _further(paths[0], files[0].run)
    asks = tuple(ask for file in files for ask in file.asks)
    return AllAsks(asks, tuple(file.run for file in files), files[0].categories)


def _further(first: Path, run: Run | None) -> Iterator[LabelFile]:
    """Read the further asks of the same run; what another run left there is passed over."""
    for attempt in count(1):
        path = attempt_path(first, attempt)
        if not path.exists() or (file := read_label_file(path)).run != run:
            return
        yield file
