"""Labels of a field are judged by ground truth, reported on, and compared with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fiftyone as fo

from ..coco.runs import parse_run
from ..errors import UsageError
from ..evaluation import Scores, anatomy
from ..evaluation import evaluate as score
from ..evaluation.compare import Comparison, Contender
from ..evaluation.compare import compare as compare_contenders
from ..evaluation.judging import judge
from ..evaluation.trust import TARGET
from ..labels.collector import collector_paused
from ..labels.evaluations import check_eval_key, write_evaluation
from ..labels.read import read_labels
from ..labels.runs import record_of_field
from ..labels.trusted import judging_samples
from ..labels.views import delete_error_views, save_error_views
from ..report import ReportFiles, Section, build_report, write_report
from ..report.summary import Summary, summarize
from ..summaries import save_summary
from ..values import ImageLabels, Run

DEFAULT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Verdicts:
    """An evaluation: its scores, and a summary for the panel; `views` are saved views."""

    scores: Scores
    summary: Summary
    views: tuple[str, ...]


def evaluate(
    samples: fo.SampleCollection,
    field: str,
    truth: str = "ground_truth",
    *,
    key: str = "",
    iou: float = DEFAULT_IOU,
    error_views: bool = False,
) -> Scores:
    """Judge a field by the official COCO metrics, and keep the verdicts in FiftyOne.

    `key` (`<field>_eval` when empty) names the evaluation; one of that name is replaced.
    Samples without truth are left out, and those with truth accepted unseen.
    `error_views` saves a view for each kind of error. Raises `UsageError`.
    """
    return judge_field(
        samples, field, truth, key=key, iou=iou, error_views=error_views
    ).scores


@collector_paused()
def judge_field(
    samples: fo.SampleCollection,
    field: str,
    truth: str,
    *,
    key: str = "",
    iou: float = DEFAULT_IOU,
    error_views: bool = False,
) -> Verdicts:
    """Do what `evaluate` does, and sum it up for the panel."""
    key = key or f"{field}_eval"
    if field == truth:
        raise UsageError("Labels cannot be judged by themselves: choose two fields.")
    check_eval_key(samples, key)
    view = judging_samples(samples, truth).view
    true, said = read_labels(view, truth), read_labels(view, field)
    scores = score(true, said, iou=iou)
    scores = replace(scores, anatomy=anatomy(true, said, scores))
    _write(view, key, (field, truth), (said, true), scores)
    delete_error_views(view, key)
    views: tuple[str, ...] = ()
    if error_views and scores.anatomy is not None:
        views = save_error_views(
            view,
            said,
            true,
            scores.anatomy.faults,
            predicted_field=field,
            truth_field=truth,
            eval_key=key,
        )
    section = Section(field, _run(view, field), scores, true, said)
    summary = summarize(section, key=key, field=field, truth=truth)
    save_summary(view, summary)
    return Verdicts(scores, summary, views)


def _write(
    view: fo.SampleCollection,
    key: str,
    fields: tuple[str, str],
    labels: tuple[Sequence[ImageLabels], Sequence[ImageLabels]],
    scores: Scores,
) -> None:
    """Write the verdicts as an evaluation of FiftyOne's own."""
    write_evaluation(
        view,
        *labels,
        scores.main_matches,
        predicted_field=fields[0],
        truth_field=fields[1],
        eval_key=key,
        iou=scores.iou,
        use_masks=scores.mask_matches is not None,
        classes=scores.classes,
        curves=scores.all.main.curves,
    )


def compare(
    samples: fo.SampleCollection,
    fields: Sequence[str],
    truth: str = "ground_truth",
    *,
    iou: float = DEFAULT_IOU,
) -> Comparison:
    """Compare fields by the same truth: which is better, beyond noise; the first leads.

    Raises `UsageError`.
    """
    return compare_fields(samples, fields, truth, iou=iou)[0]


def compare_fields(
    samples: fo.SampleCollection, fields: Sequence[str], truth: str, *, iou: float
) -> tuple[Comparison, tuple[Contender, ...], tuple[ImageLabels, ...]]:
    """Do what `compare` does, and give the labels as well."""
    if len(set(fields)) < 2 or truth in fields:  # noqa: PLR2004 - two, of course
        raise UsageError("Choose two or more different fields, none of them the truth.")
    view = judging_samples(samples, truth).view
    true = tuple(read_labels(view, truth))
    contenders = tuple(
        Contender(name, read_labels(view, name), _run(view, name)) for name in fields
    )
    return compare_contenders(true, contenders, iou=iou), contenders, true


def report(
    samples: fo.SampleCollection,
    fields: str | Sequence[str],
    truth: str = "ground_truth",
    *,
    out: str | Path = "report",
    iou: float = DEFAULT_IOU,
    target_precision: float = TARGET,
) -> ReportFiles:
    """Write how good one or several fields are: one HTML file, Markdown and JSON.

    Several fields are compared as well. Nothing of the dataset changes. Raises
    `UsageError`.
    """
    names = [fields] if isinstance(fields, str) else list(fields)
    title = f"{samples._root_dataset.name}: {', '.join(names)}"  # noqa: SLF001
    comparison = None
    if len(names) > 1:
        comparison, contenders, true = compare_fields(samples, names, truth, iou=iou)
    else:
        view = judging_samples(samples, truth).view
        true = tuple(read_labels(view, truth))
        (name,) = names
        contenders = (Contender(name, read_labels(view, name), _run(view, name)),)
    sections = []
    for one in contenders:
        judged = judge(true, one.predicted, iou=iou)
        sections.append(
            Section(one.name, one.run, judged.scores, true, judged.predicted)
        )
    whole = build_report(
        sections,
        title=title,
        comparison=comparison,
        target_precision=target_precision,
    )
    return write_report(whole, Path(out))


def _run(samples: fo.SampleCollection, field: str) -> Run | None:
    record = record_of_field(samples, field)
    return parse_run(record) if record else None
