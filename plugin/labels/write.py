"""FiftyOne fields as the sink of a run: labels, statuses, and the record of the run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..records import run_record
from ..values import Footage, Form, Frame, Kind, Parsed, Run, Usage
from .bulk import write_sample
from .frames import write_frames
from .kinds import (
    attribute_paths,
    columns,
    documents,
    frame_columns,
    frame_documents,
)

MADE_BY = "fiftyone-gemini"
"""Stands in the `info` of every field that was written here, under `made_by`."""
ERROR_LIMIT = 500
OBJECTS = Form()
FRAMES = "frames."
OF_VIDEOS = frozenset({Kind.SPANS, Kind.SIGHTINGS})
COMPANIONS = {
    "_status": fo.StringField,
    "_error": fo.StringField,
    "_tokens": fo.IntField,
    "_cost_usd": fo.FloatField,
}
"""Fields beside a label field, by what stands behind its name."""
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def attempt_field(field: str, attempt: int) -> str:
    """Name the field of an attempt: the second of `gemini` is `gemini_ask2`."""
    return f"{field}_ask{attempt + 1}" if attempt else field


def check_field(
    dataset: fo.Dataset, field: str, form: Form = OBJECTS, times: int = 1
) -> None:
    """Raise `UsageError` unless labels of a form may be written under a name.

    Each of the fields is new, or was written by an earlier run: labels that come from
    elsewhere (ground truth) are never overwritten.
    """
    for attempt in range(times):
        name = attempt_field(field, attempt)
        for column, kind in _paths(name, form).items():
            check_column(dataset, column, kind)
        if form.kind in OF_VIDEOS and dataset.media_type not in {"video", None}:
            raise UsageError(
                f"Labels in time can only be kept in a dataset of videos, and this one "
                f"holds {dataset.media_type} samples."
            )
        for ending, kind in COMPANIONS.items():
            found = dataset.get_field(f"{name}{ending}")
            if found is not None and not isinstance(found, kind):
                raise UsageError(
                    f"The field {name + ending!r} is needed, but is not a "
                    f"{kind.__name__}."
                )


def check_column(dataset: fo.Dataset, field: str, kind: type) -> None:
    """Raise `UsageError` unless one field may be written."""
    if not _FIELD_NAME.fullmatch(field.removeprefix(FRAMES)):
        raise UsageError(
            f"{field!r} cannot be the name of a field: use letters, digits and _, "
            "with a letter at the front."
        )
    if field in dataset._get_default_sample_fields(  # noqa: SLF001 - no public twin
        include_private=True
    ):
        raise UsageError(f"The field name {field!r} is reserved by FiftyOne.")
    found = dataset.get_field(field)
    if found is None:
        return
    if not is_written_here(dataset, field):
        raise UsageError(
            f"The field {field!r} exists and was not written by Gemini; "
            "choose another name, so that nothing is lost."
        )
    held = getattr(found, "document_type", None) or type(found)
    if held is not kind:
        raise UsageError(
            f"The field {field!r} holds {held.__name__} of an earlier run, and this "
            f"one gives {kind.__name__}; choose another name."
        )


def is_written_here(dataset: fo.Dataset, field: str) -> bool:
    """Tell whether a field holds the labels of an earlier run."""
    found = dataset.get_field(field)
    return found is not None and (found.info or {}).get("made_by") == MADE_BY


def sign_fields(dataset: fo.Dataset, names: Iterable[str], run_key: str) -> None:
    """Note in fields who wrote them."""
    for name in names:
        field = dataset.get_field(name)
        field.info = {"made_by": MADE_BY, "run": run_key}
        field.save()


class FieldSink:
    """Keeps labels in fields of a dataset, by their form; every `write` is durable.

    Beside them, `<field>_status` tells how each sample ended, `<field>_error` why in words,
    `<field>_tokens` and `<field>_cost_usd` what its reply took. A sample without an answer keeps the labels it had. What was asked again
    (`times`) has fields of its own: see `attempt_field`. `finish` registers the run
    under `run_key` (the name of the run when empty). Raises what `check_field` raises.
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        field: str,
        form: Form = OBJECTS,
        *,
        times: int = 1,
        run_key: str = "",
    ) -> None:
        check_field(dataset, field, form, times)
        self._dataset = dataset
        self._form = form
        self._names = [attempt_field(field, attempt) for attempt in range(times)]
        self._run_key = run_key
        self._bare: set[str] | None = None

    def write(self, parsed: Parsed) -> None:
        """Save the labels and the status of one sample, both or neither."""
        sample_id = parsed.item.sample_id
        name = self._names[parsed.item.attempt]
        bare = self._prepare()
        values: dict[str, Any] = {
            f"{name}_status": parsed.status.value,
            f"{name}_error": error_of(parsed),
        }
        if parsed.usage != Usage():
            used = parsed.usage
            values[f"{name}_tokens"] = used.prompt + used.output + used.thoughts
            values[f"{name}_cost_usd"] = parsed.cost_usd
        if parsed.frame is not None:
            if parsed.status.answers(len(parsed.values)):
                values |= self._labels(name, parsed)
            if sample_id in bare and parsed.frame.width:
                values["metadata"] = _metadata(parsed.frame, parsed.footage)
        write_sample(self._dataset, sample_id, values)

    def _labels(self, name: str, parsed: Parsed) -> dict[str, Any]:
        """Give the labels of a sample; those of its frames are written first."""
        frame, footage = parsed.frame, parsed.footage
        assert frame is not None
        if self._form.kind is not Kind.SIGHTINGS:
            return documents(name, self._form, parsed.values, frame, footage)
        if footage is not None:
            found = frame_documents(parsed.values, frame, footage)
            write_frames(self._dataset, parsed.item.sample_id, name, found)
        return {}

    def finish(self, run: Run) -> None:
        """Register the record of the run with the dataset, and name it in the field."""
        key = re.sub(r"\W", "_", self._run_key or run.name)
        if self._bare is not None:
            self._sign(key)
        config = self._dataset.init_run(
            method=f"gemini/{run.question.task}",
            field=self._names[0],
            **run_record(run),
        )
        self._dataset.register_run(key, config, overwrite=True)

    def _prepare(self) -> set[str]:
        """Make the fields on first use; give the ids of samples without a size."""
        if self._bare is None:
            for name in self._names:
                _make_fields(self._dataset, name, self._form)
            self._sign(self._run_key)
            size = "total_frame_count" if self._videos else "width"
            sizeless = self._dataset.exists(f"metadata.{size}", bool=False)
            self._bare = set(sizeless.values("id"))
        return self._bare

    @property
    def _videos(self) -> bool:
        return bool(self._dataset.media_type == fo.core.media.VIDEO)

    def _sign(self, run_key: str) -> None:
        """Note in the fields who wrote them: only such fields are written again."""
        for name in self._names:
            sign_fields(self._dataset, _paths(name, self._form), run_key)


def _make_fields(dataset: fo.Dataset, field: str, form: Form) -> None:
    """Declare the label fields, their attributes and the companions."""
    for column, kind in _paths(field, form).items():
        if dataset.has_field(column):
            continue
        if issubclass(kind, fo.Label):
            _declare(dataset, column, fo.EmbeddedDocumentField, embedded_doc_type=kind)
        else:
            _declare(dataset, column, kind)
    beside = {f"{field}{ending}": kind for ending, kind in COMPANIONS.items()}
    texts = dict.fromkeys(attribute_paths(field, form), fo.StringField)
    for name, kind in (beside | texts).items():
        if not dataset.has_field(name):
            _declare(dataset, name, kind)


def _paths(field: str, form: Form) -> dict[str, type]:
    """Name all fields of labels, those of frames as `frames.<name>`."""
    in_frames = frame_columns(field, form).items()
    return columns(field, form) | {f"{FRAMES}{name}": kind for name, kind in in_frames}


def _declare(dataset: fo.Dataset, path: str, kind: type, **how: Any) -> None:
    """Declare a field of samples or of frames."""
    if path.startswith(FRAMES):
        dataset.add_frame_field(path.removeprefix(FRAMES), kind, **how)
    else:
        dataset.add_sample_field(path, kind, **how)


def _metadata(frame: Frame, footage: Footage | None) -> dict[str, Any]:
    """Write down size and, of a video, times: so that FiftyOne needs no ffprobe."""
    size: fo.Metadata = fo.ImageMetadata(width=frame.width, height=frame.height)
    if footage is not None:
        size = fo.VideoMetadata(
            size_bytes=footage.bytes,
            mime_type=footage.mime_type,
            frame_width=frame.width,
            frame_height=frame.height,
            frame_rate=footage.fps,
            total_frame_count=len(footage.times),
            duration=footage.seconds,
            encoding_str=footage.codec,
        )
    document: dict[str, Any] = size.to_dict()
    return document


def error_of(parsed: Parsed) -> str | None:
    """Say in one text what was wrong with an answer; None when nothing was."""
    found = [parsed.error] if parsed.error else []
    found += [f"{issue.path}: {issue.message}" for issue in parsed.issues[:3]]
    if len(parsed.issues) > 3:  # noqa: PLR2004
        found.append(f"and {len(parsed.issues) - 3} more")
    return "; ".join(found)[:ERROR_LIMIT] or None
