"""Verdicts on labels of other kinds than objects, back into FiftyOne.

One class for each sample becomes FiftyOne's own classification evaluation, which the
Model Evaluation panel opens. FiftyOne has none for the others: they become a number for
each sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import fiftyone as fo

from ..errors import UsageError
from ..values import Kind
from .evaluations import check_eval_key

SCORE = "score"
MADE_BY = "fiftyone-gemini evaluation"


class ItemVerdict(Protocol):
    """One item judged: see `evaluation.kinds.ItemVerdict`."""

    @property
    def image_id(self) -> str:
        """Id of the sample."""
        ...

    @property
    def score(self) -> float:
        """How right it is, from 0 to 1."""
        ...


def write_kind_verdicts(
    view: fo.SampleCollection,
    verdicts: Sequence[ItemVerdict],
    kind: Kind,
    *,
    predicted_field: str,
    truth_field: str,
    eval_key: str,
) -> str:
    """Write how each sample did, and give the name of the field that says so.

    `Kind.TAG`: a native evaluation run under the key, over the samples with a true
    class; the field `<key>` is true where the class is right. Else `<key>_score`, a
    number from 0 to 1. Raises what `check_eval_key` raises.
    """
    check_eval_key(view, eval_key)
    if kind is Kind.TAG:
        if eval_key in view.list_evaluations():
            view._root_dataset.delete_evaluation(eval_key)  # noqa: SLF001 - no public twin
        elif view.has_field(eval_key):
            raise UsageError(f"The key would overwrite the field {eval_key!r}.")
        view.exists(f"{truth_field}.label").evaluate_classifications(
            predicted_field, gt_field=truth_field, eval_key=eval_key, progress=False
        )
        return eval_key
    name = f"{eval_key}_{SCORE}"
    _check_score_field(view, name)
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    if not dataset.has_field(name):
        dataset.add_sample_field(name, fo.FloatField, info={"made_by": MADE_BY})
    scores = {verdict.image_id: verdict.score for verdict in verdicts}
    if scores:
        dataset.set_values(name, scores, key_field="id")
    return name


def _check_score_field(view: fo.SampleCollection, name: str) -> None:
    found = view.get_field(name)
    ours = found is None or (found.info or {}).get("made_by") == MADE_BY
    if not ours:
        raise UsageError(f"The key would overwrite the field {name!r}.")
