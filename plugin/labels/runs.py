"""The records of runs that stand with a dataset: which run wrote a field, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo

from ..errors import UsageError
from ..values import JsonValue
from .write import COMPANIONS

_NOT_OURS = {"cls", "type", "method", "field", "version", "timestamp"}


def record_of_field(
    samples: fo.SampleCollection, field: str
) -> dict[str, JsonValue] | None:
    """Give the record of the run that wrote a field last, as `records.run_record`.

    None for a field that no run wrote (ground truth), or when the record was deleted.
    """
    found = samples.get_field(field)
    key = ((found.info if found else None) or {}).get("run")
    if not key or key not in samples.list_runs():
        return None
    return _record(samples, key)


def record_of_run(samples: fo.SampleCollection, key: str) -> dict[str, JsonValue]:
    """Give the record of a labelling run by its key; raises `UsageError` without one."""
    if key not in labelling_runs(samples):
        raise UsageError(f"There is no labelling run {key!r} with this dataset.")
    return _record(samples, key)


def _record(samples: fo.SampleCollection, key: str) -> dict[str, JsonValue]:
    config = samples.get_run_info(key).config.serialize()
    return {name: value for name, value in config.items() if name not in _NOT_OURS}


def labelling_runs(samples: fo.SampleCollection) -> tuple[str, ...]:
    """Name the labelling runs, the newest first."""
    infos = ((key, samples.get_run_info(key)) for key in samples.list_runs())
    ours = [
        (str(info.config.started), key)
        for key, info in infos
        if hasattr(info.config, "question") and hasattr(info.config, "started")
    ]
    return tuple(key for _, key in sorted(ours, reverse=True))


def fields_of_run(samples: fo.SampleCollection, key: str) -> tuple[str, ...]:
    """Name the label fields that a run wrote, and no later one."""
    schema = samples.get_field_schema()
    return tuple(n for n, f in schema.items() if (f.info or {}).get("run") == key)


def field_of_run(samples: fo.SampleCollection, key: str) -> str:
    """Name the field that a run was started for."""
    record_of_run(samples, key)
    return str(samples.get_run_info(key).config.field)


def rename_run(dataset: fo.Dataset, key: str, new: str) -> None:
    """Give a run another name, in its fields too; raises `UsageError`."""
    record_of_run(dataset, key)
    if not new.isidentifier() or new in dataset.list_runs():
        raise UsageError(f"{new!r} is taken, or cannot name a run: use letters and _.")
    fields = fields_of_run(dataset, key)
    dataset.rename_run(key, new)
    for name in fields:
        field = dataset.get_field(name)
        field.info = {**field.info, "run": new}
        field.save()


def delete_run(dataset: fo.Dataset, key: str, *, labels: bool) -> tuple[str, ...]:
    """Delete the record of a run and, with `labels`, the fields it wrote.

    Fields that a later run has written again stay. Gives the names of the deleted.
    """
    record_of_run(dataset, key)
    doomed = tuple(_with_companions(dataset, key)) if labels else ()
    for name in doomed:
        dataset.delete_sample_field(name)
    dataset.delete_run(key)
    return doomed


def _with_companions(dataset: fo.Dataset, key: str) -> Iterator[str]:
    """Name the fields of a run and what stands beside them."""
    own = fields_of_run(dataset, key)
    yield from own
    bases = dict.fromkeys([*own, str(dataset.get_run_info(key).config.field)])
    for base in bases if own else ():
        for suffix in (*COMPANIONS, "_review_ids"):
            if dataset.has_field(f"{base}{suffix}"):
                yield f"{base}{suffix}"
