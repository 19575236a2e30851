"""Few-shot examples: labels of samples become turns before every question."""

from __future__ import annotations

import json
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone_gemini.asking import BAD, Asking, Manner
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.gemini.journal import request_key
from fiftyone_gemini.labels.examples import examples_of
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.tasks import find_task, form_of
from fiftyone_gemini.values import (
    Ask,
    Box,
    Detection,
    Frame,
    Item,
    Mask,
    MaskShape,
    Media,
    Question,
    Request,
    Shown,
    Tag,
)
from gemini_server import Say, serving

MODEL = "gemini-3.8-flash"


def box(label_: str) -> fo.Detection:
    """Make a box over the left half."""
    return fo.Detection(label=label_, bounding_box=[0, 0, 0.5, 1])


def request_of(dataset: fo.Dataset, question: Question, *shown: Shown) -> Request:
    """Make the request about the last sample, with these examples."""
    asking = Asking.about(question, MODEL, Manner(examples=shown))
    return asking.request(list(ViewSource(dataset).items())[-1])


def test_boxes_of_samples_become_turns(dataset: fo.Dataset) -> None:
    """Each example is the picture, the same prompt and the answer that is wished for."""
    dataset.set_values("truth", [fo.Detections(detections=[box("cup")])] * 4)
    question = Question("detect")
    good = examples_of(dataset.limit(1), "truth", form_of(question))
    bad = examples_of(dataset.skip(1).limit(1), "truth", form_of(question), good=False)
    request = request_of(dataset, question, *good, *bad)
    first, second = request.examples
    assert json.loads(first.answer) == [{"box_2d": [0, 0, 1000, 500], "label": "cup"}]
    assert first.content[-1] == request.content[-1]
    assert second.content[-1] == f"{request.content[-1]}\n{BAD}"
    assert len(request.all_media) == 3
    bare = request_of(dataset, question)
    assert len({request_key(r) for r in (request, bare)}) == 2


def test_other_labels_are_shown_too(dataset: fo.Dataset) -> None:
    """Classes, tags and answers of fields are written as their task asks for them."""
    dataset.set_values("weather", [fo.Classification(label="rain")] * 4)
    both = [fo.Classification(label=name) for name in ("rain", "night")]
    dataset.set_values("tags_of", [fo.Classifications(classifications=both)] * 4)
    dataset.set_values("said_cups", ["3"] * 4)
    view = dataset.limit(1)

    def answer(question: Question, field: str) -> object:
        shown = examples_of(view, field, form_of(question))
        return json.loads(request_of(dataset, question, *shown).examples[0].answer)

    assert answer(Question("classify"), "weather") == {"label": "rain"}
    assert answer(Question("tag"), "tags_of") == {
        "labels": [{"label": "rain"}, {"label": "night"}]
    }
    asks = (Ask("cups", "How many cups?"),)
    assert answer(Question("vqa", asks=asks), "said") == {"cups": "3"}


def test_an_outline_is_read_back() -> None:
    """A mask shown as a polygon is read as nearly the same mask."""
    rows, columns = np.mgrid[:120, :160]
    disc = ((rows - 60) / 60) ** 2 + ((columns - 80) / 80) ** 2 <= 1
    true = Detection("plate", Box(100, 50, 160, 120), Mask(100, 50, disc))
    frame, task, question = Frame(500, 400), find_task("segment"), Question("segment")
    text = task.answer((true,), question, frame, MaskShape.POLYGON)  # type: ignore[attr-defined]
    media = Media(b"", "image/png", frame, frame)
    (found,) = task.read(text, question, media).detections
    assert found.mask is not None
    canvas = np.zeros((2, 400, 500), bool)
    for layer, mask in zip(canvas, (true.mask, found.mask), strict=True):
        assert mask is not None
        height, width = mask.crop.shape
        layer[mask.y : mask.y + height, mask.x : mask.x + width] = mask.crop
    assert (canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum() > 0.95


def test_examples_that_cannot_be_shown_are_refused(dataset: fo.Dataset) -> None:
    """Too many, without a label, of another type, or for a task without any: an error."""
    form = form_of(Question("detect"))
    dataset.add_sample_field(
        "truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    with pytest.raises(UsageError, match="has no label in 'truth'"):
        examples_of(dataset.limit(1), "truth", form)
    with pytest.raises(UsageError, match="0 samples cannot be examples"):
        examples_of(dataset.limit(0), "truth", form)
    with pytest.raises(UsageError, match="no field 'none'"):
        examples_of(dataset, "none", form_of(Question("classify")))
    shown = Shown(Item("1", dataset.first().filepath), (Tag("rain"),))
    with pytest.raises(UsageError, match="compare takes no examples"):
        request_of(dataset, Question("compare"), shown)
    with pytest.raises(UsageError, match="words of samples"):
        request_of(dataset, Question("classify", instruction="{filepath}"), shown)
    gone = Shown(Item("1", "/nowhere.png"), (Tag("rain"),))
    with pytest.raises(UsageError, match="does not exist"):
        request_of(dataset, Question("classify"), gone)


def test_examples_are_sent_as_turns(dataset: fo.Dataset, tmp_path: Path) -> None:
    """On the wire an example is a turn of the user and one of the model."""
    shown = Shown(Item("1", dataset.first().filepath), (Tag("rain"),))
    folder = Path(dataset.first().filepath).parent
    with serving(lambda _: Say()) as server:
        run = label(
            FolderSource(folder),
            CocoSink(tmp_path / "out" / "out.json"),
            Question("classify"),
            model=MODEL,
            endpoint=endpoint_from_environment({}, base_url=server.url),
            journal=tmp_path / "journal.sqlite",
            manner=Manner(examples=(shown,)),
        )
        bodies = [seen.body for seen in server.seen]
    assert run.parameters["examples"] == [dataset.first().filepath]
    for body in bodies:
        assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
        assert json.loads(body["contents"][1]["parts"][0]["text"]) == {"label": "rain"}
        assert "inlineData" in body["contents"][0]["parts"][0]
