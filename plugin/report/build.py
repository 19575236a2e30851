"""Sections -> `Report`: picks what is said, in which order, about which images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..evaluation import ClassScores, Counts, Match, Scores, ShapeScores
from ..evaluation.compare import Comparison
from ..evaluation.intervals import Intervals
from ..evaluation.trust import TARGET
from ..values import ImageLabels, Run, Status, by_code
from .anatomy import explaining_blocks
from .compare import compared_blocks
from .content import Cell, Chapter, Example, Fact, Headline, Report, Section, Table
from .pictures import UnreadablePictureError, draw
from .texts import (
    COCO_MEANING,
    EMULATOR_BANNER,
    STATUS_MEANING,
    cost,
    number,
    statuses,
    tokens,
    when,
)
from .trust import belief_blocks, find_belief, interval_remark

MAX_EXAMPLES = 12


def build_report(
    sections: Sequence[Section],
    *,
    title: str = "Labels by Gemini, evaluated",
    notes: Sequence[str] = (),
    target_precision: float = TARGET,
    comparison: Comparison | None = None,
) -> Report:
    """Put together what is reported, and draw the worst images of each section.

    `notes` end the report: how it was made, a command line. A picture that cannot be
    read is said to be so; nothing fails because of it. `target_precision`: what labels
    must surpass to be accepted unseen. `comparison` of the sections comes first.
    """
    return Report(
        title=title,
        made=datetime.now(UTC),
        notes=tuple(notes),
        chapters=tuple(_chapter(section, target_precision) for section in sections),
        comparison=comparison,
        compared=compared_blocks(comparison) if comparison else (),
    )


def _chapter(section: Section, target: float) -> Chapter:
    scores, run = section.scores, section.run
    belief = find_belief(section, target)
    return Chapter(
        section=section,
        banner=EMULATOR_BANNER if run and run.endpoint == "emulator" else "",
        asked=tuple(asked_facts(run, scores.all.main.counts.tp)) if run else (),
        prompt=run.prompt if run else "",
        statuses=tuple(
            Fact(f"{scores.statuses[status]} {status.value}", STATUS_MEANING[status])
            for status in Status
            if scores.statuses.get(status)
        ),
        headlines=headlines_of(scores, belief.intervals),
        compared_by="boxes" if scores.all.masks is None else "masks",
        remarks=(*_remarks(scores), interval_remark(belief.intervals)),
        coco=_coco_table(scores),
        classes=_class_table(scores.all.main.classes),
        examples=tuple(_examples(section)),
        belief=belief,
        blocks=(*explaining_blocks(scores), *belief_blocks(belief)),
    )


def asked_facts(run: Run, right: int, unit: str = "object") -> Iterator[Fact]:
    """Say what was asked of whom, when, and what it took, also for what is right."""
    yield Fact("Task", run.question.task)
    classes = ", ".join(run.question.classes)
    yield Fact("Classes asked for", classes or "whatever the model sees")
    yield Fact("Model asked", run.model)
    answered = (f"{name} ({n})" for name, n in run.models_answered.items())
    yield Fact("Models that answered", ", ".join(answered) or "none")
    yield Fact("Endpoint", run.endpoint)
    yield Fact("When", when(run))
    yield Fact("Images asked about", statuses(run.statuses) or "none")
    if run.objects.seen:  # else nobody counted, or there was nothing
        yield Fact("Objects in the replies", f"{run.objects}")
    if run.objects.issues:
        yield Fact("Wrong inside replies", by_code(run.objects.issues))
    yield Fact("Tokens", tokens(run.usage))
    yield Fact("Cost", cost(run))
    if run.cost_usd is not None and run.endpoint != "emulator" and right:
        yield Fact(f"Cost of a right {unit}", f"${run.cost_usd / right:,.6f}")
    if run.from_journal:
        yield Fact("Replies taken from the journal", f"{run.from_journal}")
    parameters = (f"{name} = {value}" for name, value in run.parameters.items())
    yield Fact("Parameters", ", ".join(parameters) or "those of the model table")
    yield from (Fact("Note", note) for note in run.notes)
    yield Fact("Run", run.name)
    yield Fact("Code", run.code_version or "unknown")


def headlines_of(scores: Scores, sure: Intervals) -> tuple[Headline, ...]:
    """Give the numbers that are read first."""
    every, answered = scores.all.main, scores.answered.main
    at, counts, others = f"at IoU {scores.iou:g}", every.counts, answered.counts
    return (
        Headline(
            "F1", counts.f1, others.f1, f"precision and recall in one, {at}", sure.f1
        ),
        Headline(
            "Precision",
            counts.precision,
            others.precision,
            f"{counts.tp} of {counts.tp + counts.fp} predictions are right, {at}",
            sure.precision,
        ),
        Headline(
            "Recall",
            counts.recall,
            others.recall,
            f"{counts.tp} of {counts.tp + counts.fn} objects were found, {at}",
            sure.recall,
        ),
        Headline(
            "Mean IoU",
            counts.mean_iou,
            others.mean_iou,
            "how well the right ones fit",
        ),
        Headline(
            "COCO AP", every.coco.ap, answered.coco.ap, COCO_MEANING["ap"][1], sure.ap
        ),
    )


def _remarks(scores: Scores) -> Iterator[str]:
    """Say what must be known to read the numbers."""
    failed = scores.all.images - scores.answered.images
    if failed:
        yield (
            f"{failed} of {scores.all.images} images got no answer. The numbers over all "
            "images count their objects as missed; those over answered images leave "
            "them out."
        )
    if scores.confidence != "self":
        who = "No prediction" if scores.confidence == "none" else "Not every prediction"
        yield (
            f"{who} carries a confidence. AP ranks predictions by confidence, so without "
            "one it uses 1.0 for all, with ties in the order the model listed them, and "
            "says less than it could: read precision, recall and F1 first."
        )
    if scores.confidence_sources:
        yield f"Confidence is {' or '.join(scores.confidence_sources)}."
    if scores.unknown_images:
        yield (
            f"Predictions for {scores.unknown_images} images without truth were left out."
        )
    yield f"COCO numbers computed by {scores.engine}, equal to pycocotools bit for bit."


def _columns(scores: Scores) -> Iterator[tuple[str, ShapeScores]]:
    """Name the sets of numbers there are: boxes and masks, over all and answered."""
    sets = [("", scores.all)]
    if scores.answered.images != scores.all.images:
        sets.append((", answered", scores.answered))
    for suffix, metrics in sets:
        yield f"boxes{suffix}", metrics.boxes
        if metrics.masks is not None:
            yield f"masks{suffix}", metrics.masks


def _coco_table(scores: Scores) -> Table:
    columns = list(_columns(scores))
    rows = [
        (
            Cell(name),
            *(_score(getattr(shape.coco, key)) for _, shape in columns),
            Cell(meaning),
        )
        for key, (name, meaning) in COCO_MEANING.items()
    ]
    rows += [
        (Cell(name), *(_score(getattr(s.counts, key)) for _, s in columns), Cell(text))
        for key, name, text in (
            (
                "precision",
                "Precision",
                f"share of predictions right, IoU {scores.iou:g}",
            ),
            ("recall", "Recall", f"share of objects found, IoU {scores.iou:g}"),
            ("f1", "F1", "both in one"),
            ("mean_iou", "Mean IoU", "of the right predictions"),
        )
    ]
    names = (name for name, _ in columns)
    return Table(("Number", *names, "What it means"), tuple(rows))


def _class_table(classes: Sequence[ClassScores]) -> Table:
    """List the classes, the worst F1 first."""

    def rank(row: ClassScores) -> tuple[float, str]:
        return (2.0 if row.counts.f1 is None else row.counts.f1, row.label)

    names = ("Class", "Objects", "Right", "Invented", "Missed")
    return Table(
        (*names, "Precision", "Recall", "F1", "Mean IoU", "AP", "AP50"),
        tuple(_class_row(row, row.counts) for row in sorted(classes, key=rank)),
    )


def _class_row(row: ClassScores, counts: Counts) -> tuple[Cell, ...]:
    whole = (counts.tp + counts.fn, counts.tp, counts.fp, counts.fn)
    return (
        Cell(row.label),
        *(Cell(f"{n:,}", is_number=True) for n in whole),
        *(_score(v, bar=True) for v in (counts.precision, counts.recall, counts.f1)),
        *(_score(value) for value in (counts.mean_iou, row.ap, row.ap50)),
    )


def _score(value: float | None, *, bar: bool = False) -> Cell:
    return Cell(number(value), value if bar else None, is_number=True)


def _examples(section: Section) -> Iterator[Example]:
    """Draw the images with most errors, the worst first."""
    matches: dict[str, list[Match]] = defaultdict(list)
    for match in section.scores.main_matches:
        matches[match.image_id].append(match)
    said = {image.image_id: image for image in section.predicted}
    with_masks = section.scores.all.masks is not None

    def errors(image: ImageLabels) -> int:
        return -sum(match.kind in {"fp", "fn"} for match in matches[image.image_id])

    for image in sorted(section.truth, key=errors)[:MAX_EXAMPLES]:
        predicted = said.get(image.image_id)
        found = matches[image.image_id]
        yield _example(image, predicted, found, with_masks=with_masks)


def _example(
    truth: ImageLabels,
    predicted: ImageLabels | None,
    matches: Sequence[Match],
    *,
    with_masks: bool,
) -> Example:
    kinds = [match.kind for match in matches]
    drawing, problem = None, ""
    try:
        drawing = draw(truth, predicted, matches, with_masks=with_masks)
    except UnreadablePictureError as error:
        problem = str(error)
    return Example(
        truth.image_id,
        Path(truth.path).name or truth.image_id,
        predicted.status if predicted else Status.SKIPPED,
        kinds.count("tp"),
        kinds.count("fp"),
        kinds.count("fn"),
        drawing,
        problem,
    )
