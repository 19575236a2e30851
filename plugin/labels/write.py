"""A FiftyOne field as the sink of a run: labels, statuses, and the record of the run."""

from __future__ import annotations

import re
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..records import run_record
from ..values import Frame, Parsed, Run
from .bulk import write_sample
from .convert import to_document

MADE_BY = "fiftyone-gemini"
"""Stands in the `info` of every field that was written here, under `made_by`."""
ERROR_LIMIT = 500
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def check_field(dataset: fo.Dataset, field: str) -> None:
    """Raise `UsageError` unless labels may be written to a field of this name.

    The field is new, or was written by an earlier run: labels that come from elsewhere
    (ground truth) are never overwritten.
    """
    if not _FIELD_NAME.fullmatch(field):
        raise UsageError(
            f"{field!r} cannot be the name of a field: use letters, digits and _, "
            "with a letter at the front."
        )
    known = dataset.get_field_schema()
    if field in dataset._get_default_sample_fields(  # noqa: SLF001 - no public twin
        include_private=True
    ):
        raise UsageError(f"The field name {field!r} is reserved by FiftyOne.")
    if field in known and not is_written_here(dataset, field):
        raise UsageError(
            f"The field {field!r} exists and was not written by Gemini; "
            "choose another name, so that nothing is lost."
        )
    for name in (f"{field}_status", f"{field}_error"):
        if name in known and not isinstance(known[name], fo.StringField):
            raise UsageError(f"The field {name!r} is needed, but is not a text field.")


def is_written_here(dataset: fo.Dataset, field: str) -> bool:
    """Tell whether a field holds the labels of an earlier run."""
    found = dataset.get_field(field)
    if getattr(found, "document_type", None) is not fo.Detections:
        return False
    return (found.info or {}).get("made_by") == MADE_BY


class FieldSink:
    """Keeps labels in a `Detections` field of a dataset; every `write` is durable.

    Beside it, `<field>_status` tells how each sample ended and `<field>_error` why in
    words. A sample without an answer keeps the labels it had. `finish` registers the
    run under `run_key` (the name of the run when empty). Raises what `check_field`
    raises.
    """

    def __init__(self, dataset: fo.Dataset, field: str, *, run_key: str = "") -> None:
        check_field(dataset, field)
        self._dataset = dataset
        self._field = field
        self._run_key = run_key
        self._bare: set[str] | None = None

    def write(self, parsed: Parsed) -> None:
        """Save the labels and the status of one sample, both or neither."""
        sample_id = parsed.item.sample_id
        bare = self._prepare()
        values: dict[str, Any] = {
            f"{self._field}_status": parsed.status.value,
            f"{self._field}_error": _error_of(parsed),
        }
        if parsed.frame is not None:
            if parsed.status.answered:
                values[self._field] = to_document(parsed.detections, parsed.frame)
            if sample_id in bare:
                values["metadata"] = _metadata(parsed.frame)
        write_sample(self._dataset, sample_id, values)

    def finish(self, run: Run) -> None:
        """Register the record of the run with the dataset, and name it in the field."""
        key = re.sub(r"\W", "_", self._run_key or run.name)
        if self._bare is not None:
            self._sign(key)
        config = self._dataset.init_run(
            method=f"gemini/{run.question.task}", field=self._field, **run_record(run)
        )
        self._dataset.register_run(key, config, overwrite=True)

    def _prepare(self) -> set[str]:
        """Make the fields on first use; give the ids of samples without a size."""
        if self._bare is None:
            _make_fields(self._dataset, self._field)
            self._sign(self._run_key)
            sizeless = self._dataset.exists("metadata.width", bool=False)
            self._bare = set(sizeless.values("id"))
        return self._bare

    def _sign(self, run_key: str) -> None:
        """Note in the field who wrote it: only such fields are written again."""
        field = self._dataset.get_field(self._field)
        field.info = {"made_by": MADE_BY, "run": run_key}
        field.save()


def _make_fields(dataset: fo.Dataset, field: str) -> None:
    """Declare the label field and its two companions."""
    if not dataset.has_field(field):
        dataset.add_sample_field(
            field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
    for name in (f"{field}_status", f"{field}_error"):
        if not dataset.has_field(name):
            dataset.add_sample_field(name, fo.StringField)


def _metadata(frame: Frame) -> dict[str, Any]:
    document: dict[str, Any] = fo.ImageMetadata(
        width=frame.width, height=frame.height
    ).to_dict()
    return document


def _error_of(parsed: Parsed) -> str | None:
    """Say in one text what was wrong with an answer; None when nothing was."""
    found = [parsed.error] if parsed.error else []
    found += [f"{issue.path}: {issue.message}" for issue in parsed.issues[:3]]
    if len(parsed.issues) > 3:  # noqa: PLR2004
        found.append(f"and {len(parsed.issues) - 3} more")
    return "; ".join(found)[:ERROR_LIMIT] or None
