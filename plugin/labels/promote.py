"""Labels that pass a rule into a ground-truth field, the rest tagged for review.

Only samples without truth get any; what stands in the truth is never overwritten. Each
sample changes in one step, or, where someone else was faster, not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import fiftyone as fo

from ..errors import UsageError
from ..values import JsonValue
from .accepted import (
    FROM,
    KEY,
    METHOD,
    REVIEW,
    VERDICT,
    Document,
    Origin,
    copy_of,
    declare_marks,
    in_place,
    is_own,
    objects_of,
)
from .bulk import Change, change_samples, read_documents
from .read import check_detections
from .runs import record_of_field

Passes: TypeAlias = Callable[[str, float | None], str | None]
"""Label and confidence to the rule by which they pass, in words; None: for review."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What `promote` did; `complete` counts samples of which every label has passed.

    `untouched`: samples with truth of another origin, and those with labels accepted
    from an earlier labelling, which must be undone first. `busy` samples changed while
    they were looked at, and were left as they are.
    """

    promoted: int
    for_review: int
    samples: int
    complete: int
    untouched: int
    busy: int


def promote(
    view: fo.SampleCollection,
    field: str,
    truth: str,
    passes: Passes,
    *,
    key: str,
    rules: Mapping[str, JsonValue],
) -> Promotion:
    """Copy the labels of `field` that pass into `truth`, each with its provenance.

    A sample gets some where it has no truth, or only what an earlier call under this
    key put there; labels that were looked at under the key before are left as they are,
    unless they wait for review and pass now. `rules` are kept in the record of the run
    under `key`, with which `undo_promotion` takes all back. Raises UsageError.
    """
    _check(view, field, truth, key)
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    step = _Step(field, truth, key, passes, origin_of(view, field))
    _register(dataset, step, rules)
    declare_marks(dataset, field, truth)
    counts: Counter[str] = Counter()
    busy = change_samples(dataset, _changes(view, step, counts))
    return Promotion(
        counts["accepted"],
        counts[REVIEW],
        counts["samples"],
        counts["complete"],
        counts["untouched"],
        busy,
    )


def origin_of(view: fo.SampleCollection, field: str) -> Origin:
    """Name the labelling run that wrote a field, and the models that answered it."""
    record = record_of_field(view, field) or {}
    answered = record.get("models_answered")
    models = ", ".join(answered) if isinstance(answered, dict) else ""
    model = models or str(record.get("model") or "")
    return Origin(str(record.get("name") or ""), model)


def _check(view: fo.SampleCollection, field: str, truth: str, key: str) -> None:
    check_detections(view, field)
    if field == truth:
        raise UsageError("Labels cannot be accepted into their own field.")
    if view.has_field(truth):
        check_detections(view, truth)
    if not key.isidentifier():
        raise UsageError(f"{key!r} cannot name what is accepted: use letters and _.")
    if key not in view.list_runs():
        return
    config = view.get_run_info(key).config
    if (config.method, getattr(config, "field", None)) != (METHOD, field):
        raise UsageError(f"{key!r} is the name of another run: choose another --key.")
    if config.truth != truth:
        raise UsageError(f"Under {key!r}, labels went into {config.truth!r} before.")


def _register(dataset: fo.Dataset, step: _Step, rules: Mapping[str, JsonValue]) -> None:
    """Keep the record first: what a killed call has written can be undone."""
    truth, key = step.truth, step.key
    created = not dataset.has_field(truth)
    if created:
        dataset.add_sample_field(
            truth, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
    elif key in dataset.list_runs():
        created = dataset.get_run_info(key).config.created
    config = dataset.init_run(
        method=METHOD,
        field=step.field,
        truth=truth,
        created=created,
        run=step.origin.run,
        model=step.origin.model,
        rules=dict(rules),
    )
    dataset.register_run(key, config, overwrite=True)


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done with each sample."""

    field: str
    truth: str
    key: str
    passes: Passes
    origin: Origin

    def is_open(self, labels: list[Document], sample: Document) -> bool:
        """Tell whether a sample has no truth but what came from these very labels."""
        if sample.get(self.truth) is None:
            return True
        known = {str(label["_id"]) for label in labels}
        held = objects_of(sample, self.truth)
        own = (is_own(one, self.key) and one[FROM] in known for one in held)
        return bool(held) and all(own)

    def verdict(self, label: Document) -> tuple[str, str] | None:
        """Decide on a label: the verdict and its rule; None: leave it as it is."""
        rule = self.passes(label.get("label") or "", label.get("confidence"))
        waits = REVIEW in (label.get("tags") or ())
        seen = label.get(KEY) == self.key
        if rule is not None and (not seen or (waits and label[VERDICT] == REVIEW)):
            return "accepted", rule
        return None if rule is not None or seen or waits else (REVIEW, "")


def _changes(
    view: fo.SampleCollection, step: _Step, counts: Counter[str]
) -> Iterator[Change]:
    for sample in read_documents(view, (step.field, step.truth)):
        labels = objects_of(sample, step.field)
        if not labels:
            continue
        if not step.is_open(labels, sample):
            counts["untouched"] += 1
            continue
        verdicts = [step.verdict(label) for label in labels]
        counts.update(verdict for verdict, _ in filter(None, verdicts))
        left = (_waits(one, v) for one, v in zip(labels, verdicts, strict=True))
        counts["complete"] += not any(left)
        if any(verdicts):
            counts["samples"] += 1
            yield _change(sample, labels, verdicts, step)


def _waits(label: Document, verdict: tuple[str, str] | None) -> bool:
    """Tell whether a label is for review after its verdict."""
    return verdict[0] == REVIEW if verdict else REVIEW in (label.get("tags") or ())


def _change(
    sample: Document,
    labels: list[Document],
    verdicts: list[tuple[str, str] | None],
    step: _Step,
) -> Change:
    """Write the copies of a sample and the marks on its labels at once."""
    values: dict[str, Any] = {}
    copies = []
    for place, (label, found) in enumerate(zip(labels, verdicts, strict=True)):
        if found is None:
            continue
        verdict, rule = found
        path = f"{step.field}.detections.{place}"
        tags = [tag for tag in label.get("tags") or () if tag != REVIEW]
        tags += [REVIEW] * (verdict == REVIEW)
        values |= {
            f"{path}.tags": tags,
            f"{path}.{KEY}": step.key,
            f"{path}.{VERDICT}": verdict,
        }
        if verdict != REVIEW:
            copies.append(copy_of(label, step.key, step.origin, rule))
    return _written(sample, labels, values, copies, step)


def _written(
    sample: Document,
    labels: list[Document],
    values: dict[str, Any],
    copies: list[Document],
    step: _Step,
) -> Change:
    """Add copies to what stands in the truth, or start it."""
    expected, more = in_place(step.field, labels), {}
    if sample.get(step.truth) is not None:
        expected |= in_place(step.truth, objects_of(sample, step.truth))
        more = {f"{step.truth}.detections": copies} if copies else {}
    elif copies:
        expected |= {step.truth: None}
        values |= {step.truth: {"_cls": "Detections", "detections": copies}}
    return Change(sample["_id"], expected, values, more=more)
