"""`flatten` and `refine`: other forms of the objects of a dataset; Gemini is not asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .datasets import open_dataset
from .show import console

Name = Annotated[str, typer.Argument(help="The FiftyOne dataset.")]
Field = Annotated[str, typer.Option(help="The field with the objects.")]
Into = Annotated[str, typer.Option(help="The new field; empty: <field>_full, _masks.")]
Masks = Annotated[Path, typer.Option(help="The folder for the PNG files.")]
Model = Annotated[
    str, typer.Option(help="A model of the FiftyOne zoo that takes boxes (SAM family).")
]


def flatten_masks(
    dataset: Name,
    *,
    field: Field = "gemini",
    into: Into = "",
    masks: Masks = Path("masks"),
) -> None:
    """Paint instance masks into one full-frame segmentation for each sample; free."""
    from ..labels.full_frame import flatten

    into = into or f"{field}_full"
    done = flatten(open_dataset(dataset), field, into, masks)
    console.print(
        f"{done.samples} samples, {len(done.classes)} classes: {dataset}.{into}, "
        f"PNG files in {masks}"
    )
    if done.without_mask:
        console.print(f"  {done.without_mask} objects have no mask and are not in it.")


def refine_boxes(
    dataset: Name, *, model: Model, field: Field = "gemini", into: Into = ""
) -> None:
    """Give boxes masks by a model of the FiftyOne zoo that is on this machine; free."""
    from ..labels.refine import refine

    into = into or f"{field}_masks"
    done = refine(open_dataset(dataset), field, into, model)
    console.print(f"{done.with_mask} masks by {model}: {dataset}.{into}")
    if done.without_mask:
        console.print(f"  {done.without_mask} objects got none and keep their box.")
