"""A YAML file -> `Grid`: what is asked, of which samples, and what is varied.

Every value is checked, and what is wrong is said in a sentence that names its place.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from ..asking import Asking, Manner
from ..errors import FormatError, UsageError
from ..settings import read_asks
from ..tasks import form_of
from ..values import Kind, Parameters, Question
from .entries import (
    Choice,
    Entries,
    check_keys,
    is_count,
    is_name,
    is_names,
    is_number,
    is_text,
    is_text_or_none,
    is_thinking,
    is_truth,
)

MOST_CELLS = 100
VARIED: Mapping[str, Choice] = {
    "model": Choice(is_name, "the name of a model"),
    "task": Choice(is_name, "the name of a task"),
    "instruction": Choice(is_text, "a text"),
    "classes": Choice(is_names, "a list of names"),
    "confidence": Choice(is_truth, "true or false"),
    "max_side": Choice(is_count(64), "a whole number from 64, or null"),
    "thinking": Choice(is_thinking, "a level, a number of tokens, or null"),
    "temperature": Choice(is_number, "a number from 0 to 2, or null"),
    "media_resolution": Choice(is_text_or_none, "a level, or null"),
    "max_output_tokens": Choice(is_count(1), "a whole number from 1, or null"),
    "attributes": Choice(is_names, "a list of texts: 'name: words [a|b]'"),
    "asks": Choice(is_names, "a list of texts: 'name: question [a|b]'"),
    "system": Choice(is_text, "a text"),
    "times": Choice(is_count(1), "a whole number from 1, or null"),
    "tile": Choice(is_count(64), "a whole number from 64, or null"),
}
"""What can be varied, or stand once for all cells."""
_SAMPLES = ("truth", "dataset", "truth_field")
_WHOLE = ("budget", "iou")
_LONG = ("instruction", "classes", "attributes", "asks", "system")
"""Named by their number in the list."""
Setting: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a grid: `name` says what is its own, `stem` is its file's."""

    name: str
    stem: str
    question: Question
    model: str
    manner: Manner


@dataclass(frozen=True, slots=True)
class Grid:
    """What a sweep asks about which samples, and its cells; the first is the baseline.

    `dataset` is a FiftyOne dataset; else `truth` is a file (COCO or JSON Lines) whose
    pictures are asked about. All cells give labels of one `kind`. `budget_usd` is for all cells together.
    """

    path: Path
    truth: Path | None
    dataset: str
    truth_field: str
    budget_usd: float | None
    iou: float
    kind: Kind
    cells: tuple[Cell, ...]


def read_grid(path: Path) -> Grid:
    """Read a grid; raises FormatError, with the place, for anything it cannot mean."""
    found = Entries(path, _load(path))
    check_keys(found, (*VARIED, *_SAMPLES, *_WHOLE, "grid"))
    grid = Entries(path, found.mapping("grid"), "grid")
    check_keys(grid, VARIED)
    if twice := sorted(set(grid.values) & set(found.values)):
        raise FormatError(
            f"{path}: {twice[0]!r} stands under grid and beside it; keep one of them."
        )
    dataset, truth = found.text("dataset"), found.text("truth")
    if bool(dataset) == bool(truth):
        raise FormatError(
            f"{path}: name either `truth` (a file) or `dataset` (of FiftyOne)."
        )
    fixed = {key: found.choice(key, VARIED[key]) for key in VARIED if key in found}
    varied = {key: grid.choices(key, VARIED[key]) for key in grid.values}
    cells = tuple(_cells(path, fixed, varied))
    kinds = sorted({form_of(cell.question).kind.value for cell in cells})
    if len(kinds) > 1:
        raise FormatError(
            f"{path}: the tasks give labels of different kinds ({', '.join(kinds)}), "
            "which cannot be compared."
        )
    return Grid(
        path,
        path.parent / truth if truth else None,
        dataset,
        found.text("truth_field") or "ground_truth",
        found.number("budget", 0, above=True),
        found.number("iou", 0.05, most=0.95) or 0.5,
        Kind(kinds[0]),
        cells,
    )


def _load(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise FormatError(f"{path}{line}: this is not YAML.") from error


def _cells(
    path: Path, fixed: Setting, varied: Mapping[str, Sequence[object]]
) -> Iterator[Cell]:
    """Make every combination, the last key changing fastest; check each of them."""
    settings = [
        dict(zip(varied, values, strict=True))
        for values in itertools.product(*varied.values())
    ]
    if not 1 < len(settings) <= MOST_CELLS:
        raise FormatError(
            f"{path}: the grid has {len(settings)} cell{'s' * (len(settings) != 1)}; a "
            f"comparison needs 2 to {MOST_CELLS}."
        )
    for number, own in enumerate(settings, start=1):
        name = _name(own, varied)
        try:
            yield _cell(name, f"{number:02}-{_slug(name)}", {**fixed, **own})
        except UsageError as error:
            raise FormatError(f"{path}: the cell {name}: {error}") from error


def _cell(name: str, stem: str, setting: Setting) -> Cell:
    if "model" not in setting:
        raise UsageError("say which model is asked (`model`).")
    question = Question(
        str(setting.get("task") or "detect"),
        _texts(setting, "classes"),
        str(setting.get("instruction") or ""),
        confidence=setting.get("confidence") is True,
        attributes=read_asks(_texts(setting, "attributes"), "attributes"),
        asks=read_asks(_texts(setting, "asks"), "asks"),
        system=str(setting.get("system") or ""),
    )
    cell = Cell(name, stem, question, str(setting["model"]), _manner(setting))
    Asking.about(cell.question, cell.model, cell.manner)  # refuses what cannot be
    return cell


def _manner(setting: Setting) -> Manner:
    temperature, thinking = setting.get("temperature"), setting.get("thinking")
    resolution = setting.get("media_resolution")
    assert isinstance(temperature, int | float | None)
    return Manner(
        Parameters(
            temperature,
            None if thinking is None else str(thinking),
            _whole(setting, "max_output_tokens"),
            None if resolution is None else str(resolution),
        ),
        _whole(setting, "max_side"),
        times=_whole(setting, "times") or 1,
        tile=_whole(setting, "tile"),
    )


def _whole(setting: Setting, key: str) -> int | None:
    value = setting.get(key)
    assert isinstance(value, int | None)
    return value


def _texts(setting: Setting, key: str) -> tuple[str, ...]:
    values = setting.get(key) or []
    assert isinstance(values, list)
    return tuple(map(str, values))


def _name(own: Setting, varied: Mapping[str, Sequence[object]]) -> str:
    """Name a cell by what is varied; long texts by their number."""
    parts = []
    for key, value in own.items():
        if len(varied[key]) == 1:
            continue
        if key == "model":
            parts.append(str(value))
        elif key in _LONG:
            parts.append(f"{key} {list(varied[key]).index(value) + 1}")
        else:
            parts.append(f"{key} {_written(value)}")
    return ", ".join(parts)


def _written(value: object) -> str:
    if value is None:
        return "default"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60]
