"""`agree`: what was asked several times becomes one set of labels, scored by agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..coco.files import read_all_asks
from ..coco.lines import write_lines
from ..coco.lines_read import is_lines
from ..coco.runs import parse_run
from ..coco.write import write_coco
from ..errors import UsageError
from ..evaluation.agreement import IOU, agree
from ..records import add_up, coco_info, run_record
from ..values import (
    Answer,
    Form,
    ImageLabels,
    Item,
    Kind,
    ObjectCounts,
    Parsed,
    Run,
)
from .show import console, statuses

if TYPE_CHECKING:
    import fiftyone as fo

SOURCE = "confidence_source"
Replies = Annotated[
    list[Path] | None,
    typer.Argument(help="The files of all asks, or the first of `label --times`."),
]
Iou = Annotated[
    float, typer.Option(min=0.05, max=0.95, help="Overlap that makes two the same.")
]
AtLeast = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Leave out what a smaller share of asks says."),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", help="The fields of all asks, or the first of them."),
]


def agree_labels(
    replies: Replies = None,
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("agreed.json"),
    dataset: Annotated[
        str, typer.Option(help="A FiftyOne dataset, instead of files.")
    ] = "",
    field: Fields = None,
    into: Annotated[
        str, typer.Option(help="The field to write (with --dataset).")
    ] = "gemini_agreed",
    iou: Iou = IOU,
    at_least: AtLeast = None,
) -> None:
    """Merge the labels of several asks; the confidence is the share that agrees.

    Boxes become medians, masks majorities; one tag or text is the most frequent one.
    """
    if dataset and not replies:
        _agree_fields(dataset, field or ["gemini"], into, iou, at_least)
        return
    if dataset or not replies:
        raise UsageError("Name the files of all asks, or --dataset.")
    found = read_all_asks(replies)
    merged = agree(found.asks, iou=iou, at_least=at_least)
    run = _noted(found.runs, len(found.asks))
    if is_lines(replies[0]):
        write_lines(out, [_parsed(image) for image in merged], run)
    else:
        info = coco_info(run_record(run)) if run else None
        write_coco(out, merged, found.categories, info)
    _told(merged, len(found.asks), str(out))


def _noted(records: Sequence[Run | None], asks: int) -> Run | None:
    """Give one record of all asks, that says where the scores come from.

    The asks of one run have one record, and are counted once.
    """
    runs = list({(r.name, r.started): r for r in records if r is not None}.values())
    if not runs:
        return None
    note = f"Labels merged, and scored by the agreement of {asks} asks."
    return replace(
        add_up(runs[0], runs),
        objects=sum((run.objects for run in runs), ObjectCounts()),
        notes=(*runs[0].notes, note),
    )


def _parsed(image: ImageLabels) -> Parsed:
    item = Item(image.image_id, image.path)
    return Parsed(item, image.status, image.frame, image.values)


def _told(merged: Sequence[ImageLabels], asks: int, where: str) -> None:
    counts = {i.status: sum(o.status is i.status for o in merged) for i in merged}
    labels = sum(len(image.values) for image in merged)
    console.print(
        f"{where}: {labels} labels of {len(merged)} items, agreement of {asks} asks "
        f"({statuses(counts)})"
    )


def _agree_fields(
    name: str, fields: Sequence[str], into: str, iou: float, at_least: float | None
) -> None:
    """Merge fields of a dataset into another field."""
    from ..labels.read_kinds import kind_of_field, read_kind
    from ..labels.runs import record_of_field
    from ..labels.write import FieldSink
    from .datasets import open_dataset

    opened = open_dataset(name)
    names = _all_fields(opened, fields)
    asks = [read_kind(opened, one) for one in names]
    kind = kind_of_field(opened, names[0])
    merged = agree(asks, iou=iou, at_least=at_least)
    records = [record_of_field(opened, one) for one in names]
    run = _noted([parse_run(record) for record in records if record], len(asks))
    if run is None:
        raise UsageError(f"No run of ours wrote the field {names[0]!r}.")
    form = Form(kind, attributes=(SOURCE,) if kind is Kind.OBJECTS else ())
    sink = FieldSink(opened, into, form, run_key=f"{into}_agreement")
    for image in merged:
        sink.write(_parsed(image))
    sink.finish(run)
    if kind is Kind.TEXT:
        _write_shares(opened, merged, into)
    _told(merged, len(asks), f"{name}.{into}")


def _all_fields(dataset: fo.Dataset, fields: Sequence[str]) -> list[str]:
    """Give the fields as they are named; of one, also those of the further asks."""
    from ..labels.write import attempt_field

    if len(fields) > 1:
        return list(fields)
    found, attempt = [fields[0]], 1
    while dataset.has_field(name := attempt_field(fields[0], attempt)):
        found.append(name)
        attempt += 1
    return found


def _write_shares(
    dataset: fo.Dataset, merged: Sequence[ImageLabels], into: str
) -> None:
    """Keep the share that agrees on a text in a field of its own."""
    name = f"{into}_confidence"
    shares = {
        image.image_id: value.confidence
        for image in merged
        for value in image.values
        if isinstance(value, Answer)
    }
    if shares:
        dataset.set_values(name, shares, key_field="id")
