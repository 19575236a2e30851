"""Labels that were asked for without a dataset: each finds the sample it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fiftyone as fo

from ..errors import UsageError
from ..values import Form, Parsed, Run
from .write import OBJECTS, FieldSink


class MatchingSink:
    """A `FieldSink` for items that name a sample by its id, or by its file.

    Items of which the dataset has no sample are left out, and the record of the run says
    how many. When there is no other item, `finish` raises `UsageError` instead.
    """

    def __init__(
        self, dataset: fo.Dataset, field: str, form: Form = OBJECTS, *, times: int = 1
    ) -> None:
        self._sink = FieldSink(dataset, field, form, times=times)
        self._dataset = dataset
        self._ids = set(dataset.values("id"))
        self._by_path: dict[str, str] | None = None
        self._written = 0
        self._strange: list[str] = []

    def write(self, parsed: Parsed) -> None:
        """Save the labels of one item with its sample."""
        sample_id = self._find(parsed)
        if sample_id is None:
            self._strange.append(parsed.item.sample_id)
            return
        self._written += 1
        self._sink.write(
            replace(parsed, item=replace(parsed.item, sample_id=sample_id))
        )

    def finish(self, run: Run) -> None:
        """Register the record of the run with the dataset."""
        if not self._strange:
            self._sink.finish(run)
            return
        text = (
            f"{len(self._strange)} items are of no sample of {self._dataset.name}, "
            f"such as {self._strange[0]}."
        )
        if not self._written:
            raise UsageError(f"{text} Was another dataset planned?")
        self._sink.finish(replace(run, notes=(*run.notes, text)))

    def _find(self, parsed: Parsed) -> str | None:
        """Find the sample of an item."""
        if parsed.item.sample_id in self._ids:
            return parsed.item.sample_id
        if self._by_path is None:
            paths, ids = self._dataset.values(["filepath", "id"])
            self._by_path = dict(zip(paths, ids, strict=True))
        path = parsed.item.path
        found = self._by_path.get(path)
        return found or self._by_path.get(str(Path(path).absolute()))
