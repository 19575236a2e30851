"""`KindSection`s -> a report: tags, texts, points and spans, judged or compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..evaluation.kinds import ItemVerdict, KindScores, Number, Sheet
from ..evaluation.kinds.compare import KindComparison, KindDifference, KindStanding
from ..evaluation.kinds.numbers import CellValue
from ..values import Status
from .build import asked_facts
from .compare import EFFORT, effort_row, signed
from .content import (
    Block,
    Cell,
    Fact,
    Headline,
    KindChapter,
    KindExample,
    KindSection,
    Report,
    Table,
)
from .pictures import UnreadablePictureError, thumbnail
from .texts import EMULATOR_BANNER, STATUS_MEANING, UNDEFINED, interval, number

MAX_EXAMPLES = 12


def build_kind_report(
    sections: Sequence[KindSection],
    *,
    title: str,
    notes: Sequence[str] = (),
    comparison: KindComparison | None = None,
) -> Report:
    """Put together what is reported about labels of other kinds than objects."""
    return Report(
        title=title,
        made=datetime.now(UTC),
        notes=tuple(notes),
        chapters=(),
        compared=tuple(_compared(comparison)) if comparison else (),
        kinds=tuple(_chapter(section) for section in sections),
        kind_comparison=comparison,
    )


def _chapter(section: KindSection) -> KindChapter:
    scores, run = section.scores, section.run
    right = sum(verdict.score >= 1 for verdict in scores.verdicts)
    return KindChapter(
        section=section,
        banner=EMULATOR_BANNER if run and run.endpoint == "emulator" else "",
        asked=tuple(asked_facts(run, right, "item")) if run else (),
        prompt=run.prompt if run else "",
        statuses=tuple(
            Fact(f"{scores.statuses[status]} {status.value}", STATUS_MEANING[status])
            for status in Status
            if scores.statuses.get(status)
        ),
        headlines=tuple(_headline(found) for found in scores.numbers),
        remarks=tuple(kind_remarks(scores)),
        blocks=tuple(_block(sheet) for sheet in scores.sheets),
        examples=tuple(_examples(scores.verdicts)),
    )


def _headline(found: Number) -> Headline:
    return Headline(
        found.name, found.all, found.answered, found.meaning, found.interval
    )


def kind_remarks(scores: KindScores) -> Iterator[str]:
    """Say what must be known to read the numbers."""
    failed = scores.items - scores.answered
    if failed:
        yield (
            f"{failed} of {scores.items} items got no answer. Over all items they said "
            "nothing, so what is true of them is missed; over answered items they are "
            "left out."
        )
    if scores.unlabelled:
        yield f"{scores.unlabelled} items without a true label were left out."
    if scores.unknown_items:
        yield f"Predictions for {scores.unknown_items} items without truth were left out."
    yield from scores.remarks
    yield (
        f"Ranges hold 95 % of what {scores.resamples:,} drawings of as many items with "
        "replacement give, over all items."
    )


def _block(sheet: Sheet) -> Block:
    rows = tuple(
        tuple(
            _cell(value, column)
            for value, column in zip(row, sheet.columns, strict=True)
        )
        for row in sheet.rows
    )
    texts = (sheet.note,) if sheet.note else ()
    return Block(sheet.title, texts, Table(sheet.columns, rows))


def _cell(value: CellValue, column: str) -> Cell:
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, float):
        bar = value if column in {"Precision", "Recall", "F1"} else None
        return Cell(number(value), bar, is_number=True)
    return Cell(UNDEFINED if value is None else f"{value:,}", is_number=True)


def _examples(verdicts: Sequence[ItemVerdict]) -> Iterator[KindExample]:
    """Show the items that are wrong, the worst first."""
    wrong = [verdict for verdict in verdicts if verdict.score < 1]
    for verdict in sorted(wrong, key=lambda v: v.score)[:MAX_EXAMPLES]:
        name = Path(verdict.path).name or verdict.image_id
        try:
            yield KindExample(name, verdict, thumbnail(verdict.path, verdict.marks))
        except UnreadablePictureError as error:
            yield KindExample(name, verdict, None, str(error))


def _compared(comparison: KindComparison) -> Iterator[Block]:
    """Lay out a comparison: verdicts in words, then the tables behind them."""
    names = tuple(found.name for found in comparison.standings[0].scores.numbers)
    yield Block(
        f"Against {comparison.first}",
        (*kind_verdicts(comparison), *comparison_remarks(comparison)),
        Table(
            ("Run", "Number", "Difference", "95 % range", "Verdict"),
            tuple(
                (Cell(against.name), *difference_cells(difference))
                for against in comparison.against
                for difference in against.differences
            ),
        ),
    )
    yield Block(
        "Each by itself",
        (),
        Table(("Run", *names), tuple(_standing_row(s) for s in comparison.standings)),
    )
    yield Block(
        "What each took",
        (),
        Table(
            ("Run", *KIND_EFFORT),
            tuple(
                (Cell(s.name), *(Cell(t, is_number=True) for t in effort_row(s)))
                for s in comparison.standings
            ),
        ),
    )


def kind_verdicts(comparison: KindComparison) -> Iterator[str]:
    """Say in a sentence for each run what is better, worse or noise."""
    for against in comparison.against:
        groups = [
            f"{verdict} in {' and '.join(named)}"
            for verdict in ("better", "worse", "within noise", "undefined")
            if (
                named := [d.number for d in against.differences if d.verdict == verdict]
            )
        ]
        yield f"{against.name} against {comparison.first}: {', '.join(groups)}."


def comparison_remarks(comparison: KindComparison) -> Iterator[str]:
    """Say what must be known to read the differences."""
    yield (
        f"Over all {comparison.items} items. The ranges hold 95 % of the differences over "
        f"{comparison.resamples:,} drawings of items with replacement, the same for every "
        "run. Each range stands by itself: of twenty differences that are only noise, "
        "one will look real."
    )
    if comparison.few_items:
        yield "These are few items: the ranges come out somewhat too narrow."


def difference_cells(difference: KindDifference) -> tuple[Cell, ...]:
    """Write number, difference, range and verdict."""
    found = difference.interval
    bounds = "" if found is None else f"[{found.low:+.3f}, {found.high:+.3f}]"
    return (
        Cell(difference.number),
        Cell(signed(difference.value), is_number=True),
        Cell(bounds, is_number=True),
        Cell(difference.verdict),
    )


def _standing_row(standing: KindStanding) -> tuple[Cell, ...]:
    texts = (
        f"{number(found.all)} {interval(found.interval)}".rstrip()
        for found in standing.scores.numbers
    )
    return (Cell(standing.name), *(Cell(text, is_number=True) for text in texts))


KIND_EFFORT = (*EFFORT[:-1], "Per right item")
