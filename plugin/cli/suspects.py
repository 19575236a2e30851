"""Possible mistakes of the truth, in the terminal and as a view of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..evaluation import suspects
from ..evaluation.compare import Contender
from ..values import ImageLabels
from .datasets import Opened
from .show import console, number, table


def show_suspects(
    truth: Sequence[ImageLabels],
    runs: Sequence[Contender],
    opened: Opened | None,
    *,
    whole: bool,
) -> None:
    """Say how many objects runs agree on that the truth lacks.

    `whole` lists them, and in a dataset (`opened`) saves a view of them.
    """
    found = suspects(truth, [run.predicted for run in runs])
    if not found:
        return
    count = f"{len(found):,} object{'s' if len(found) > 1 else ''}"
    console.print(
        f"  {count} that runs agree on and the truth lacks: possibly mistakes of the "
        f"truth{'' if whole else ' (--suspects lists them)'}."
    )
    if not whole:
        return
    paths = {image.image_id: image.path for image in truth}
    rows = table("picture", "class", "runs", "IoU", "left, top, width, height")
    for one in found:
        box = ", ".join(f"{edge:.0f}" for edge in one.box.xywh_px)
        agreeing = f"{len(one.members)} of {len(runs)}"
        name = Path(paths[one.image_id]).name
        rows.add_row(name, one.label, agreeing, number(one.agreement), box)
    console.print(rows)
    if opened is None:
        return
    from ..labels.suspects import save_suspects_view

    fields = {labels.name: labels.images for labels in opened.fields}
    console.print(f"  saved view: {save_suspects_view(opened.view, fields, found)}")
