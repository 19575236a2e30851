"""A JSON Lines file as sink: what COCO cannot hold (points, tags, texts), one line an item."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from ..records import plain, run_record, spent
from ..values import JsonValue, Parsed, Run, Value
from .folder import order
from .write import write_file


class LinesSink:
    """Collects what items came to and writes them as JSON Lines when the run ends.

    A line has `file`, `sample_id`, `status`, `width`, `height`, `values`, `issues`,
    `error`, and what its reply took (`records.spent`); places are in pixels of the upright picture. The record of the run stands
    beside it, in `<file>.run.json`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parsed: list[Parsed] = []

    def write(self, parsed: Parsed) -> None:
        """Take what one item came to."""
        self._parsed.append(parsed)

    def finish(self, run: Run) -> None:
        """Write both files, the lines in the order of the sample ids."""
        write_lines(self.path, sorted(self._parsed, key=order), run)


def write_lines(path: Path, parsed: Sequence[Parsed], run: Run | None) -> None:
    """Write lines in the order given, and beside them the record of their run."""
    lines = (orjson.dumps(_line(one)) for one in parsed)
    write_file(path, b"".join(line + b"\n" for line in lines))
    if run is not None:
        record = orjson.dumps(run_record(run), option=orjson.OPT_INDENT_2)
        write_file(path.with_name(f"{path.name}.run.json"), record)


def _line(parsed: Parsed) -> dict[str, JsonValue]:
    frame = parsed.frame
    line: dict[str, JsonValue] = {
        "file": parsed.item.path,
        "sample_id": parsed.item.sample_id,
        "status": parsed.status.value,
        "width": frame.width if frame else 0,
        "height": frame.height if frame else 0,
        "values": [_said(value) for value in parsed.values],
        "issues": plain(parsed.issues),
        "error": parsed.error,
        **spent(parsed),
    }
    if parsed.item.others:
        line["others"] = plain(parsed.item.others)
    if parsed.item.attempt:
        line["attempt"] = parsed.item.attempt
    return line


def _said(value: Value) -> JsonValue:
    """Write a value; that a score is the model's own word goes without saying."""
    entry = plain(value)
    if isinstance(entry, dict) and not entry.get("confidence_source", True):
        del entry["confidence_source"]
    return entry
