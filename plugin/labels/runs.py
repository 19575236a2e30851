"""The records of runs that stand with a dataset: which run wrote a field."""

from __future__ import annotations

import fiftyone as fo

from ..values import JsonValue

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
    config = samples.get_run_info(key).config.serialize()
    return {name: value for name, value in config.items() if name not in _NOT_OURS}
