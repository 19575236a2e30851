"""Words of a sample in the prompt: fields fill their names, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone_gemini.asking import Asking
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.errors import MediaError, UsageError
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.templates import told
from fiftyone_gemini.values import Ask, Question

MODEL = "gemini-3.8-flash"


def asked(dataset: fo.Dataset, question: Question) -> list[tuple[str, str]]:
    """Give system instruction and prompt of the request about each sample."""
    asking = Asking.about(question, MODEL)
    items = told(ViewSource(dataset), asking.names).items()
    requests = [asking.request(item) for item in items]
    return [(request.system, str(request.content[-1])) for request in requests]


def test_fields_fill_their_names(dataset: fo.Dataset) -> None:
    """Instruction, system, questions and attributes take the words of each sample."""
    dataset.set_values("place", ["a port", "a street", "a kitchen", "a yard"])
    dataset.compute_metadata(progress=False)
    question = Question(
        "detect",
        instruction="Taken in {place}.",
        system="It is {metadata.width} pixels wide.",
        attributes=(Ask("owner", "who in {place} owns it"),),
    )
    system, prompt = asked(dataset, question)[1]
    assert system == "It is 64 pixels wide."
    assert prompt.endswith("Taken in a street.")
    assert 'who in a street owns it in the key "owner"' in prompt
    answers = Question("vqa", asks=(Ask("busy", "Is {place} busy?"),))
    assert [p.count("Is a yard busy?") for _, p in asked(dataset, answers)] == [
        0,
        0,
        0,
        1,
    ]


def test_labels_are_named_by_their_classes(dataset: fo.Dataset) -> None:
    """A label in a field gives its class, several theirs, lists their words."""
    sample = dataset.first()
    sample["weather"] = fo.Classification(label="rain")
    sample["found"] = fo.Detections(
        detections=[fo.Detection(label=n, bounding_box=[0, 0, 1, 1]) for n in "ab"]
    )
    sample["counts"] = [1, 2]
    sample.save()
    words = "{weather}; {found}; {found.detections.label}; {counts}"
    view = dataset.limit(1)
    assert asked(view, Question("caption", instruction=words))[0][1].endswith(
        "rain; a, b; a, b; 1, 2"
    )


def test_a_field_can_be_the_prompt(dataset: fo.Dataset) -> None:
    """A prompt of each sample's own is a field named alone."""
    dataset.set_values("prompt", ["One?", "Two?", "Three?", "Four?"])
    prompts = asked(dataset, Question("caption", instruction="{prompt}"))
    assert [p.splitlines()[-1] for _, p in prompts] == [
        "One?",
        "Two?",
        "Three?",
        "Four?",
    ]


def test_braces_of_json_are_left_alone(dataset: fo.Dataset) -> None:
    """Only `{name}` is a name; doubled braces are sent as single ones."""
    words = 'Like {"a": 1}, {} and {{place}}, { place }.'
    prompt = asked(dataset, Question("caption", instruction=words))[0][1]
    assert prompt.endswith('Like {"a": 1}, {} and {place}, { place }.')


def test_an_unknown_field_is_an_error_before_asking(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """A name that is no field stops the run, and its plan; so does any in a folder."""
    question = Question("caption", instruction="In {plcae}.")
    sink, journal = CocoSink(tmp_path / "out.json"), tmp_path / "journal.sqlite"
    endpoint = endpoint_from_environment({}, base_url="http://127.0.0.1:9")
    for source, words in (
        (ViewSource(dataset), r"\{plcae\} is no field of the samples; there are: id, "),
        (FolderSource(tmp_path), "use a FiftyOne dataset"),
    ):
        with pytest.raises(UsageError, match=words):
            label(
                source, sink, question, model=MODEL, endpoint=endpoint, journal=journal
            )
        with pytest.raises(UsageError, match=words):
            plan_run(source, question, model=MODEL)
    assert not journal.exists()


def test_a_sample_without_the_word_is_not_paid_for(dataset: fo.Dataset) -> None:
    """Where a field is empty, that sample alone fails, with a sentence."""
    dataset.set_values("place", ["a port", None, "a kitchen", "a yard"])
    asking = Asking.about(Question("caption", instruction="In {place}."), MODEL)
    items = list(told(ViewSource(dataset), asking.names).items())
    asking.request(items[0])
    with pytest.raises(MediaError, match="no value in 'place'"):
        asking.request(items[1])
