"""Objects that were looked at a second time: the sink of a verifying run.

Nothing is lost: the field that was verified keeps all of its objects and gets the verdicts
as attributes; what was confirmed is copied to a field of its own, with tighter boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..values import Form, Kind, Parsed, Run
from .regions import RegionSink
from .write import check_field, sign_fields

YES, NO = "yes", "no"
_AT_ONCE = 500


class VerifySink(RegionSink):
    """Keeps verdicts in `<target>` of each object, and confirmed objects in a new field.

    `<target>_box` is the box that was given, in fractions of the picture. At the end the
    field `target` of the samples gets every object that was not denied; one that has a
    mask keeps its box, for the mask fills it. Raises `UsageError` for a target that holds
    labels from elsewhere, or is the field itself.
    """

    def __init__(
        self, dataset: fo.Dataset, field: str, target: str, *, run_key: str = ""
    ) -> None:
        if field == target:
            raise UsageError(
                f"The objects of {field!r} are verified into another field, so that "
                "nothing is lost: choose its name (--field)."
            )
        check_field(dataset, target)
        super().__init__(dataset, field, target, Form(Kind.TAG), run_key=run_key)
        self._field = field
        self._target = target
        self._samples: set[str] = set()

    def write(self, parsed: Parsed) -> None:
        """Save the verdict on one object."""
        self._samples.add(parsed.item.sample_id)
        super().write(parsed)

    def finish(self, run: Run) -> None:
        """Copy what was confirmed, and register the record of the run."""
        super().finish(run)
        if not self._made:
            return
        dataset, target = self._dataset, self._target
        if not dataset.has_field(target):
            dataset.add_sample_field(
                target, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
            )
        sign_fields(dataset, [target], self._run_key or run.name)
        for some in fo.core.utils.iter_batches(self._copies(), _AT_ONCE):
            dataset.set_values(target, dict(some), key_field="id")
        dataset.reload()

    def _answers(self, parsed: Parsed) -> dict[str, Any]:
        boxes = [found.box for found in parsed.detections]
        frame = parsed.frame
        box = list(boxes[0].xywh_rel(frame)) if boxes and frame is not None else None
        verdict = YES if boxes else NO
        return {self._attribute: verdict, f"{self._attribute}_box": box}

    def _make(self) -> None:
        path = f"{self._inner}.{self._attribute}_box"
        if not self._made and not self._dataset.has_field(path):
            self._dataset.add_sample_field(path, fo.ListField, subfield=fo.FloatField)
        super()._make()

    def _copies(self) -> Iterator[tuple[str, fo.Detections]]:
        """Give the objects that stay, of samples that were verified or hold none."""
        view = self._dataset.exists(self._field).select_fields(self._field)
        for sample in view.iter_samples():
            found = sample[self._field].detections
            if sample.id in self._samples or not found:
                kept = [self._kept(one) for one in found if self._stays(one)]
                yield sample.id, fo.Detections(detections=kept)

    def _stays(self, found: fo.Detection) -> bool:
        return not found.has_field(self._target) or found[self._target] != NO

    def _kept(self, found: fo.Detection) -> fo.Detection:
        """Copy an object; its box is the one that was given, unless it has a mask."""
        copy = found.copy()
        name = f"{self._target}_box"
        box = copy[name] if copy.has_field(name) else None
        if box and copy.mask is None and copy.mask_path is None:
            copy.bounding_box = list(box)
        return copy
