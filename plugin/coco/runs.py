"""The record of a run out of a COCO file, every value checked: the file is not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import orjson

from ..errors import FormatError
from ..values import Ask, JsonValue, Medium, ObjectCounts, Question, Run, Status, Usage
from .fields import JsonObject, get_number, get_object, get_text, get_whole

_PLACE = "info.gemini_run"


def read_run(path: Path) -> Run | None:
    """Read which run made the labels of a COCO file; None when it does not say.

    The reverse of `records.coco_info(run_record(run))`. Raises what `parse_run` raises.
    """
    try:
        document = get_object(orjson.loads(path.read_bytes()), path.name)
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{path}: not JSON ({error})") from error
    info = document.get("info")
    record = info.get("gemini_run") if isinstance(info, dict) else None
    return parse_run(record) if isinstance(record, dict) else None


def parse_run(record: Mapping[str, JsonValue]) -> Run | None:
    """Read the record of a run, the reverse of `run_record`; None for another one.

    Raises FormatError, with the place, for a record that is not as it should be.
    """
    if "question" not in record:
        return None
    record = dict(record)
    finished, cost = record.get("finished"), record.get("cost_usd")
    return Run(
        name=get_text(record, "name", _PLACE),
        question=_question(record),
        model=get_text(record, "model", _PLACE),
        endpoint=get_text(record, "endpoint", _PLACE),
        prompt=get_text(record, "prompt", _PLACE),
        parameters=_object(record, "parameters"),
        started=_time(record.get("started"), "started"),
        finished=None if finished is None else _time(finished, "finished"),
        models_answered=_counts(record, "models_answered"),
        statuses=_statuses(record),
        usage=_usage(record, "usage"),
        usage_by_model={
            name: _usage(_object(record, "usage_by_model"), name)
            for name in get_object(record.get("usage_by_model", {}), _PLACE)
        },
        from_journal=get_whole(record, "from_journal", _PLACE),
        cost_usd=None if cost is None else get_number(cost, f"{_PLACE}.cost_usd"),
        journal=get_text(record, "journal", _PLACE),
        code_version=get_text(record, "code_version", _PLACE),
        notes=_texts(record.get("notes", []), "notes"),
        objects=_objects(record),
    )


def _object(record: JsonObject, key: str) -> JsonObject:
    return get_object(record.get(key), f"{_PLACE}.{key}")


def _question(record: JsonObject) -> Question:
    found, where = _object(record, "question"), f"{_PLACE}.question"
    fov = found.get("fov_degrees")
    return Question(
        get_text(found, "task", where),
        _texts(found.get("classes", []), "question.classes"),
        get_text(found, "instruction", where),
        found.get("confidence") is True,
        attributes=_asks(found.get("attributes", []), "question.attributes"),
        asks=_asks(found.get("asks", []), "question.asks"),
        system=get_text({"system": "", **found}, "system", where),
        fov_degrees=None if fov is None else get_number(fov, f"{where}.fov_degrees"),
        medium=Medium.VIDEO if found.get("medium") == Medium.VIDEO else Medium.IMAGE,
        by_frames=found.get("by_frames") is True,
    )


def _asks(value: JsonValue, key: str) -> tuple[Ask, ...]:
    where = f"{_PLACE}.{key}"
    if not isinstance(value, list):
        raise FormatError(f"{where}: a list was expected")
    found = [get_object(entry, where) for entry in value]
    return tuple(
        Ask(
            get_text(entry, "name", where),
            get_text(entry, "text", where),
            _texts(entry.get("choices", []), f"{key}.choices"),
        )
        for entry in found
    )


def _texts(value: JsonValue, key: str) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise FormatError(f"{_PLACE}.{key}: a list of texts was expected")
    return tuple(str(text) for text in texts)


def _counts(record: JsonObject, key: str) -> Mapping[str, int]:
    found, where = _object(record, key), f"{_PLACE}.{key}"
    return {name: get_whole(found, name, where) for name in found}


def _statuses(record: JsonObject) -> Mapping[Status, int]:
    known = {status.value for status in Status}
    counts = _counts(record, "statuses")
    if unknown := set(counts) - known:
        raise FormatError(f"{_PLACE}.statuses: {min(unknown)!r} is no status")
    return {Status(name): count for name, count in counts.items()}


def _objects(record: JsonObject) -> ObjectCounts:
    """Read what became of the objects; files of earlier versions do not say."""
    if "objects" not in record:
        return ObjectCounts()
    found, where = _object(record, "objects"), f"{_PLACE}.objects"
    seen, repaired = (get_whole(found, key, where) for key in ("seen", "repaired"))
    dropped, issues = (_counts(found, key) for key in ("dropped", "issues"))
    return ObjectCounts(seen, repaired, dropped, issues)


def _usage(record: JsonObject, key: str) -> Usage:
    found, where = _object(record, key), f"{_PLACE}.{key}"
    names = ("prompt", "output", "thoughts", "cached")
    return Usage(*(get_whole(found, name, where) for name in names))


def _time(value: JsonValue, key: str) -> datetime:
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise FormatError(f"{_PLACE}.{key}: a time was expected") from error
