"""Agreement of repeated asks: order makes no difference, and the share is the score."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.agreement import agree
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import (
    Answer,
    Box,
    Detection,
    Frame,
    ImageLabels,
    Mask,
    Point,
    Question,
    Sighting,
    Span,
    Status,
    Tag,
    Trajectory,
    Value,
)
from hypothesis import given
from hypothesis import strategies as st

FRAME = Frame(60, 40)
LABEL = st.sampled_from(["cat", "dog"])
SMALL = st.integers(0, 20)
SIZE = st.integers(1, 12)


@st.composite
def detections(draw: st.DrawFn) -> Detection:
    """Make an object, with a mask or without."""
    x, y, width, height = draw(SMALL), draw(SMALL), draw(SIZE), draw(SIZE)
    mask = None
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        crop = rng.random((height, width)) < 0.8
        crop[[0, -1], :] = crop[:, [0, -1]] = True
        mask = Mask(x, y, crop)
    return Detection(draw(LABEL), Box(x, y, width, height), mask)


VALUES = st.one_of(
    detections(),
    st.builds(Point, LABEL, SMALL.map(float), SMALL.map(float)),
    st.builds(Tag, LABEL),
    st.builds(Answer, st.sampled_from(["Red", "red.", "blue"])),
    st.tuples(LABEL, SMALL, SIZE).map(lambda t: Span(t[0], t[1], t[1] + t[2])),
    st.builds(Sighting, st.sampled_from([0.5, 1.0]), detections()),
)
REPLY = st.lists(VALUES, max_size=6)


def reply(*values: Value, status: Status = Status.OK) -> list[ImageLabels]:
    """Make the answer of one ask about one item."""
    return [ImageLabels("1", "a.jpg", FRAME, values, status)]


def said(images: tuple[ImageLabels, ...]) -> list[object]:
    """Write merged labels so that they can be compared."""
    return [_plain(value) for image in images for value in image.values]


def _plain(value: object) -> object:
    if isinstance(value, Sighting):
        return value.seconds, _plain(value.detection)
    if isinstance(value, Detection):
        mask = value.mask
        pixels = mask and (mask.x, mask.y, mask.crop.tolist())
        return repr(replace(value, mask=None)), pixels
    return value


@given(st.lists(REPLY, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(
    replies: list[list[Value]], dice: random.Random
) -> None:
    """Neither that of the replies, nor that of what each of them lists."""
    before = said(agree([reply(*values) for values in replies]))
    shuffled = [dice.sample(values, len(values)) for values in replies]
    # Of several texts of one name the first counts: they keep their order.
    texts = [[v for v in values if isinstance(v, Answer)] for values in replies]
    others = [[v for v in values if not isinstance(v, Answer)] for values in shuffled]
    mixed = [[*a, *b] for a, b in zip(texts, others, strict=True)]
    dice.shuffle(mixed)
    assert said(agree([reply(*values) for values in mixed])) == before


@given(st.lists(detections(), max_size=6), st.integers(2, 5))
def test_equal_replies_agree_on_all(found: list[Detection], times: int) -> None:
    """Equal replies give their objects back, each with the score 1."""
    [merged] = agree([reply(*found)] * times)
    assert len(merged.detections) == len(found)
    assert all(d.confidence == 1 for d in merged.detections)

    def places(some: tuple[Detection, ...] | list[Detection]) -> list[object]:
        return sorted(
            (d.label, d.box.xyxy_px, d.mask.crop.tolist() if d.mask else [])
            for d in some
        )

    assert places(merged.detections) == places(found)


@given(st.lists(REPLY, min_size=2, max_size=4))
def test_every_object_has_one_voice_in_each_reply(replies: list[list[Value]]) -> None:
    """Scores are votes / asks, and votes add up to what was said."""
    [merged] = agree([reply(*values) for values in replies])
    votes = [(d.confidence or 0) * len(replies) for d in merged.detections]
    assert all(1 <= round(v) <= len(replies) for v in votes)
    listed = sum(isinstance(v, Detection) for values in replies for v in values)
    assert round(sum(votes)) == listed


def test_boxes_are_medians_and_masks_majorities() -> None:
    """One of three replies that is off moves neither the box nor the mask."""
    left = Mask(0, 0, np.ones((4, 6), bool))
    right = Mask(2, 0, np.ones((4, 6), bool))
    boxes = [Detection("a", Box(x, 0, 10, 10)) for x in (0, 1, 3)]
    [merged] = agree([reply(d) for d in boxes])
    assert merged.detections[0].box == Box(1, 0, 10, 10)
    masks = [Detection("a", Box(m.x, 0, 6, 4), m) for m in (left, left, right)]
    [merged] = agree([reply(d) for d in masks])
    [one] = merged.detections
    assert one.mask is not None
    assert (one.box, one.mask.x, one.mask.crop.shape) == (Box(0, 0, 6, 4), 0, (4, 6))


def test_a_failed_reply_agrees_with_nothing() -> None:
    """Scores are shares of what was asked; without any answer the item failed."""
    cat = Detection("cat", Box(0, 0, 9, 9))
    blocked = reply(status=Status.BLOCKED)
    [merged] = agree([reply(cat), reply(cat), blocked, blocked])
    assert merged.detections[0].confidence == 0.5
    assert merged.detections[0].confidence_source == "agreement of 4 asks"
    [merged] = agree([blocked, blocked])
    assert merged.status is Status.BLOCKED
    [merged] = agree([reply(), reply()])
    assert merged.status is Status.EMPTY


def test_tags_and_texts_are_those_of_the_majority() -> None:
    """One tag or text: the most frequent. Several tags: those of half the replies."""
    [one] = agree([reply(Tag("cat")), reply(Tag("cat")), reply(Tag("dog"))])
    assert one.values == (Tag("cat", 2 / 3, "agreement of 3 asks"),)
    both = reply(Tag("cat"), Tag("dog"))
    [several] = agree([both, both, reply(Tag("cat")), reply(Tag("owl"))])
    assert [(v.label, v.confidence) for v in several.values] == [
        ("cat", 0.75),
        ("dog", 0.5),
    ]
    [text] = agree([reply(Answer("Red")), reply(Answer("red.")), reply(Answer("blue"))])
    assert text.values == (
        Answer("Red", confidence=2 / 3, confidence_source="agreement of 3 asks"),
    )


def test_points_and_spans_near_each_other_are_one() -> None:
    """Their places are medians; what is far off stands by itself."""
    points = [Point("a", 10, 10), Point("a", 11, 10), Point("a", 50, 30)]
    [merged] = agree([reply(p) for p in points])
    assert [(p.x, round(3 * p.confidence)) for p in merged.values] == [
        (10.5, 2),
        (50, 1),
    ]
    spans = [Span("a", 0, 10), Span("a", 1, 11), Span("a", 2, 10)]
    [merged] = agree([reply(s) for s in spans], at_least=0.5)
    assert merged.values == (
        Span("a", 1, 10, confidence=1.0, confidence_source="agreement of 3 asks"),
    )


def test_what_cannot_be_merged_is_said() -> None:
    """One reply agrees with nobody; paths have no rule."""
    with pytest.raises(UsageError, match="two answers"):
        agree([reply()])
    path = reply(Trajectory("a", ((0, 0),)))
    with pytest.raises(UsageError, match="Trajectory"):
        agree([path, path])


def test_the_source_of_a_score_stays_with_it(tmp_path: Path) -> None:
    """A COCO file keeps where its scores come from; those of the model say nothing."""
    cat = Detection("cat", Box(0, 0, 9, 9))
    merged = agree([reply(cat), reply()])
    own = Detection("dog", Box(20, 0, 9, 9), confidence=0.7)
    images = [replace(merged[0], values=(*merged[0].values, own))]
    write_coco(tmp_path / "a.json", images)
    back = read_coco(tmp_path / "a.json").images[0].detections
    assert [d.confidence_source for d in back] == ["agreement of 2 asks", ""]


@pytest.mark.slow
def test_agreement_ranks_what_a_noisy_model_says(tmp_path: Path, demo: Path) -> None:
    """Asked three times over HTTP, the share that agrees gives AP a better order."""
    truth = str(demo / "annotations.json")
    coco, replies = read_coco(demo / "annotations.json"), []
    for seed in range(3):
        sink = CocoSink(tmp_path / f"{seed}.json", coco.categories)
        with running_emulator(Settings(truth=truth, noise=0.6, seed=seed)) as emulator:
            label(
                FolderSource(coco),
                sink,
                Question("segment"),
                model="gemini-3.8-flash",
                endpoint=Endpoint("emulator", "none", emulator.url),
                journal=tmp_path / f"{seed}.sqlite",
            )
        replies.append(read_coco(sink.path).images)
    merged = agree(replies)
    bare = [
        replace(
            image,
            values=tuple(
                replace(d, confidence=None)
                for d in sorted(image.detections, key=lambda d: d.box.xyxy_px)
            ),
        )
        for image in merged
    ]
    one, flat, ranked = (
        evaluate(coco.images, said).all.main.coco.ap or 0
        for said in (replies[0], bare, merged)
    )
    assert ranked > flat + 0.1
    assert ranked > one + 0.1
