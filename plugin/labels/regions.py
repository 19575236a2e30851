"""Questions about objects that are labelled already: source and sink of a region run.

Each object is cut out with some context and asked about alone; the answers become
attributes of that object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..records import run_record
from ..values import Answer, Box, Form, Frame, Item, Kind, Parsed, Run, Tag
from .bulk import write_object
from .convert import LABEL_LIMIT, box_from_rel
from .kinds import answer_field
from .read import check_detections
from .samples import ViewSource, check_names, in_words
from .write import MADE_BY, error_of, sign_fields

MARGIN = 0.2
"""Context around an object, as a share of the longer side of its box."""
_NOWHERE = Box(0, 0, 1, 1)
_KINDS = {
    Kind.TEXT: fo.StringField,
    Kind.TAG: fo.StringField,
    Kind.TAGS: fo.ListField,
}


class RegionSource:
    """The objects of a `Detections` field, as items: one for each, with its region.

    `{label}` and the other attributes of an object can stand in a prompt, and so can the
    fields of its sample. Raises `UsageError` for a field of another type.
    """

    def __init__(
        self,
        view: fo.SampleCollection,
        field: str,
        *,
        margin: float = MARGIN,
        names: Sequence[str] = (),
    ) -> None:
        ViewSource(view)  # refuses what is no view of whole images
        check_detections(view, field)
        if margin < 0:
            raise UsageError(f"The margin {margin:g} is below 0.")
        self._view = view
        self._field = field
        self._margin = margin
        self._paths = {name: self._path_of(name) for name in names}

    def telling(self, names: Sequence[str]) -> RegionSource:
        """Give the same objects with these words."""
        return RegionSource(self._view, self._field, margin=self._margin, names=names)

    def __len__(self) -> int:
        """Count the objects."""
        return int(self._view.count(f"{self._field}.detections"))

    def items(self) -> Iterator[Item]:
        """Give one item per object, sample by sample."""
        self._view.compute_metadata(skip_failures=True, progress=False)
        inner = f"{self._field}.detections"
        paths = [
            *("id", "filepath", "metadata.width", "metadata.height"),
            *(f"{inner}.id", f"{inner}.bounding_box", *self._paths.values()),
        ]
        rows = zip(*self._view.values(paths), strict=True)
        for sample_id, path, width, height, ids, boxes, *told in rows:
            frame = Frame(width, height) if width and height else None
            for place, (target, box) in enumerate(
                zip(ids or (), boxes or (), strict=True)
            ):
                yield Item(
                    sample_id,
                    path,
                    words=self._words(told, place),
                    region=self._region(box, frame),
                    target=target,
                )

    def _words(self, told: Sequence[Any], place: int) -> dict[str, str]:
        """Give the words of one object: its own, or those of its sample."""
        inner = f"{self._field}.detections."
        return {
            name: in_words(values[place] if path.startswith(inner) else values)
            for (name, path), values in zip(self._paths.items(), told, strict=True)
        }

    def _region(self, box_xywh_rel: list[float], frame: Frame | None) -> Box:
        """Widen a box by the margin; a picture that cannot be opened fails anyway."""
        if frame is None:
            return _NOWHERE
        x0, y0, x1, y1 = box_from_rel(box_xywh_rel, frame).xyxy_px
        more = self._margin * max(x1 - x0, y1 - y0)
        return Box.from_xyxy_px(
            max(0.0, x0 - more),
            max(0.0, y0 - more),
            min(float(frame.width), x1 + more),
            min(float(frame.height), y1 + more),
        )

    def _path_of(self, name: str) -> str:
        """Find a name among the attributes of the objects, then among the samples'."""
        inner = f"{self._field}.detections.{name}"
        if self._view.get_field(inner) is not None:
            return inner
        check_names(self._view, [name])
        return name


class RegionSink:
    """Keeps answers as attributes of the objects they are about; `write` is durable.

    A nameless answer stands in the attribute `attribute`, a named one in
    `<attribute>_<name>`; `<attribute>_status` and `_error` say how each object ended.
    Raises `UsageError` for labels that are no answers about an object, and for an
    attribute that stands there already and was not written here.
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        field: str,
        attribute: str,
        form: Form,
        *,
        run_key: str = "",
    ) -> None:
        if form.kind not in _KINDS:
            raise UsageError(
                f"Labels of the kind {form.kind} cannot be attributes of objects: ask for "
                "a class (classify, tag) or for words (caption, vqa, read)."
            )
        self._dataset = dataset
        self._inner = f"{field}.detections"
        self._attribute = attribute
        self._form = form
        self._run_key = run_key
        self._made = False
        names = form.names if form.kind is Kind.TEXT else ("",)
        self._columns = {name: answer_field(attribute, name) for name in names}
        for column in self._columns.values():
            self._check(column)

    def _check(self, column: str) -> None:
        found = self._dataset.get_field(f"{self._inner}.{column}")
        if found is not None and (found.info or {}).get("made_by") != MADE_BY:
            raise UsageError(
                f"The attribute {column!r} exists and was not written by Gemini; choose "
                "another name, so that nothing is lost."
            )

    def write(self, parsed: Parsed) -> None:
        """Save what one object came to; without an answer it keeps what it had."""
        self._make()
        values: dict[str, Any] = {
            f"{self._attribute}_status": parsed.status.value,
            f"{self._attribute}_error": error_of(parsed),
        }
        if parsed.status.answers(len(parsed.values)):
            values |= self._answers(parsed)
        item = parsed.item
        write_object(self._dataset, item.sample_id, self._inner, item.target, values)

    def finish(self, run: Run) -> None:
        """Register the record of the run with the dataset."""
        key = re.sub(r"\W", "_", self._run_key or run.name)
        if self._made:
            self._sign(key)
        config = self._dataset.init_run(
            method=f"gemini/{run.question.task}", field=self._inner, **run_record(run)
        )
        self._dataset.register_run(key, config, overwrite=True)

    def _answers(self, parsed: Parsed) -> dict[str, Any]:
        if self._form.kind is Kind.TEXT:
            said = {v.name: v.text for v in parsed.values if isinstance(v, Answer)}
            return {column: said.get(n) for n, column in self._columns.items()}
        tags = [v.label[:LABEL_LIMIT] for v in parsed.values if isinstance(v, Tag)]
        one = tags[0] if tags else None
        return {self._attribute: tags if self._form.kind is Kind.TAGS else one}

    def _make(self) -> None:
        """Declare the attributes on first use."""
        if self._made:
            return
        companions = (f"{self._attribute}_status", f"{self._attribute}_error")
        kind = _KINDS[self._form.kind]
        kinds = dict.fromkeys(self._columns.values(), kind)
        for name, declared in (
            kinds | dict.fromkeys(companions, fo.StringField)
        ).items():
            path = f"{self._inner}.{name}"
            if not self._dataset.has_field(path):
                more = {"subfield": fo.StringField} if declared is fo.ListField else {}
                self._dataset.add_sample_field(path, declared, **more)
        self._made = True
        self._sign(self._run_key)

    def _sign(self, run_key: str) -> None:
        paths = [f"{self._inner}.{column}" for column in self._columns.values()]
        sign_fields(self._dataset, paths, run_key)
