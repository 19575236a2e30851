"""Exact truth -> answers that are wrong at a set rate, always the same for a seed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np

from ..values import Box, Frame
from .sight import Sight, SoftMask, Thing
from .truth_file import TruthImage

DROP, SWAP, JITTER, INVENT = 0.5, 0.3, 0.15, 0.3
"""At noise 1: share of objects dropped, mislabelled; jitter of a box by its size;
share of pictures with an invented object."""


def spoil(image: TruthImage, labels: tuple[str, ...], noise: float, seed: int) -> Sight:
    """Tell the truth about an image with `noise` from 0 (exactly) to 1."""
    sight = image.sight(labels)
    if not noise:
        return sight
    things = []
    for source, thing in zip(image.objects, sight.things, strict=True):
        dice = Random(f"{seed}/{image.name}/{source.id}")  # noqa: S311
        if dice.random() >= noise * DROP:
            things.append(_spoil_one(thing, labels, noise, image.frame, dice))
    dice = Random(f"{seed}/{image.name}")  # noqa: S311
    if labels and dice.random() < noise * INVENT:
        things.append(_invent(labels, noise, image.frame, dice))
    return replace(sight, things=tuple(things))


def _spoil_one(
    thing: Thing, labels: tuple[str, ...], noise: float, frame: Frame, dice: Random
) -> Thing:
    """Move, resize and perhaps mislabel one object; its mask follows its box."""
    others = [label for label in labels if label != thing.label]
    swapped = bool(others) and dice.random() < noise * SWAP
    amount = noise * JITTER
    x0, y0, x1, y1 = thing.box.xyxy_px
    dx = [dice.uniform(-amount, amount) * thing.box.width for _ in range(2)]
    dy = [dice.uniform(-amount, amount) * thing.box.height for _ in range(2)]
    box = Box.from_xyxy_px(
        max(0.0, x0 + dx[0]),
        max(0.0, y0 + dy[0]),
        min(float(frame.width), x1 + dx[1]),
        min(float(frame.height), y1 + dy[1]),
    )
    return Thing(
        label=dice.choice(others) if swapped else thing.label,
        box=box,
        mask=thing.mask and _follow(thing.mask, thing.box, box),
        confidence=_confidence(noise, dice, wrong=swapped),
        text=thing.text,
    )


def _follow(mask: SoftMask, old: Box, new: Box) -> SoftMask:
    """Carry a mask along when its box moves and stretches."""
    sx = new.width / old.width if old.width else 1.0
    sy = new.height / old.height if old.height else 1.0
    region = Box(
        new.x + (mask.region.x - old.x) * sx,
        new.y + (mask.region.y - old.y) * sy,
        mask.region.width * sx,
        mask.region.height * sy,
    )
    return SoftMask(mask.probability, region)


def _invent(labels: tuple[str, ...], noise: float, frame: Frame, dice: Random) -> Thing:
    """Make up an object that is not there; its mask fills its box."""
    width = dice.uniform(0.05, 0.4) * frame.width
    height = dice.uniform(0.05, 0.4) * frame.height
    box = Box(
        dice.uniform(0, frame.width - width),
        dice.uniform(0, frame.height - height),
        width,
        height,
    )
    mask = SoftMask(np.ones((64, 64), np.float32), box)
    confidence = _confidence(noise, dice, wrong=True)
    return Thing(dice.choice(labels), box, mask, confidence)


def _confidence(noise: float, dice: Random, *, wrong: bool) -> float:
    """Score an answer: wrong ones lower on average, but not always."""
    low = 0.7 if wrong else 0.4
    return 1 - noise * low * dice.random() - (noise * 0.2 if wrong else 0.0)
