"""What users may say on the command line: each option changes what is asked or kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.settings import read_asks
from fiftyone_gemini.tasks import TASKS
from fiftyone_gemini.values import Ask, Medium
from gemini_server import Say, picture, serving
from typer.testing import CliRunner

Ran = Callable[..., list[dict]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Give a function that runs `label` and gives the bodies of its requests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(picture(1))

    def run(*options: str, source: tuple[str, ...] = ("pictures",)) -> list[dict]:
        Path("fiftyone-gemini-journal.sqlite").unlink(missing_ok=True)
        with serving(lambda _: Say()) as server:
            monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
            result = CliRunner().invoke(app, ["label", *source, *options])
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return [seen.body for seen in server.seen]

    return run


TOLD: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (("--task", "detect"), ("--classes", "cup,jar"), "cup, jar"),
    (("--task", "detect"), ("--instruction", "Only clean ones."), "Only clean ones."),
    (("--task", "detect"), ("--confidence",), "confidence"),
    (("--task", "detect"), ("--attribute", "state [whole|broken]"), "whole, broken"),
    (("--task", "detect"), ("--system", "Be brief."), "Be brief."),
    (("--task", "vqa", "--ask", "a: One?"), ("--ask", "b: Two?"), "Two?"),
]


@pytest.mark.parametrize(("base", "option", "words"), TOLD)
def test_each_word_reaches_the_request(
    ran: Ran, base: tuple[str, ...], option: tuple[str, ...], words: str
) -> None:
    """An option is found in the request that it changes, and not without it."""
    (plain,), (told,) = ran(*base), ran(*base, *option)
    assert words not in json.dumps(plain)
    assert words in json.dumps(told)


PICTURE_TASKS = [name for name, task in TASKS.items() if Medium.IMAGE in task.about]


@pytest.mark.parametrize(
    "task", [t for t in PICTURE_TASKS if t not in {"compare", "verify"}]
)
def test_every_task_can_be_asked(ran: Ran, task: str) -> None:
    """Each task is a value of --task; what is no box goes to JSON Lines."""
    more = ("--ask", "a: One?") if task == "vqa" else ()
    (body,) = ran("--task", task, *more, "--out", "out.json")
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    boxes = task in {"detect", "segment", "ocr"}
    assert Path("out.json.run.json").exists() is not boxes


def test_how_often_and_in_how_many_pieces(ran: Ran, tmp_path: Path) -> None:
    """--times and --tile decide how many requests there are."""
    assert len(ran("--times", "3")) == 3
    assert Path("labels_ask3.json").exists()
    from PIL import Image

    Image.new("RGB", (600, 100)).save(tmp_path / "pictures" / "a.png")
    assert len(ran()) == 1
    # Black tiles of one size are one question, asked once.
    assert len(ran("--tile", "300")) == 1
    result = CliRunner().invoke(app, ["plan", "pictures", "--tile", "300"])
    assert "3 requests" in result.output


def test_several_pictures_in_one_request(ran: Ran, tmp_path: Path) -> None:
    """--chunk puts neighbours into one request, and `plan` counts it so."""
    for number in range(2, 6):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(picture(number))
    task = ("--task", "tag", "--out", "out.jsonl")
    sent = [json.dumps(body) for body in ran(*task, "--chunk", "3")]
    assert sorted(body.count("Image ") for body in sent)[-2:] == [2, 3]
    command = ["plan", "pictures", "--task", "tag", "--chunk", "3"]
    assert "2 requests" in CliRunner().invoke(app, command).output


def test_urls_of_private_networks_must_be_allowed(ran: Ran) -> None:
    """--private-urls allows what is refused without it."""
    images = [
        {"id": number, "file_name": name, "width": 8, "height": 8}
        for number, name in enumerate(("pictures/a.png", "http://127.0.0.1:1/a.png"))
    ]
    document = {"images": images, "annotations": [], "categories": []}
    Path("a.json").write_text(json.dumps(document))
    for option, words in (((), "not on the public"), (("--private-urls",), "fetched")):
        out = ("--task", "tag", "--out", "out.jsonl", *option)
        assert len(ran(*out, source=("a.json",))) == 1
        assert words in Path("out.jsonl").read_text()


def test_a_dataset_gives_words_examples_and_other_pictures(
    ran: Ran, dataset: fo.Dataset
) -> None:
    """Fields fill names, tagged samples are shown, and others are sent along."""
    dataset.set_values("place", ["a port", "a street", "a yard", "a barn"])
    dataset.set_values("kind", [fo.Classification(label="blur")] * 4)
    dataset.set_values("other", dataset.values("filepath")[::-1])
    dataset.first().tags = ["example"]
    first, last = dataset.first(), dataset.last()
    first.tags, last.tags = ["example"], ["bad"]
    first.save()
    last.save()
    source = ("--dataset", dataset.name)
    told = ran("--task", "caption", "--instruction", "In {place}.", source=source)
    assert sorted("In a yard." in json.dumps(body) for body in told) == [0, 0, 0, 1]
    classify = ("--task", "classify", "--field", "b")
    shown = ran(*classify, "--examples", "kind", source=source)
    assert [len(body["contents"]) for body in shown] == [3, 3, 3]
    both = ("--examples", "kind", "--counterexamples-tag", "bad")
    avoided = ran(*classify, *both, source=source)
    assert [len(body["contents"]) for body in avoided] == [5, 5]
    pairs = ran("--task", "compare", "--others", "other", "--field", "c", source=source)
    for body in pairs:
        parts = body["contents"][0]["parts"]
        assert sum("inlineData" in part for part in parts) == 2
    elsewhere = ("--media-field", "other", "--task", "tag", "--field", "d")
    assert len(ran(*elsewhere, source=source)) == 4


def test_boxes_are_asked_about_alone(ran: Ran, dataset: fo.Dataset) -> None:
    """--regions asks about each box, --margin says with how much around it."""
    found = fo.Detection(label="cup", bounding_box=[0.25, 0.25, 0.25, 0.25])
    sample = dataset.first()
    sample["truth"] = fo.Detections(detections=[found])
    sample.save()
    source = ("--dataset", dataset.name, "--regions", "truth", "--task", "classify")
    words = ("--instruction", "Is it a {label}?")
    (near,), (far,) = ran(*words, source=source), ran("--margin", "1", source=source)
    assert "Is it a cup?" in json.dumps(near)
    images = [b["contents"][0]["parts"][0]["inlineData"]["data"] for b in (near, far)]
    assert images[0] != images[1]
    dataset.reload()
    assert dataset.has_field("truth.detections.gemini_status")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("pictures", "--others", "x"), "--others needs --dataset"),
        (("pictures", "--regions", "x"), "--regions needs --dataset"),
        (("pictures", "--task", "caption", "--classes", "a"), "no use of classes"),
        (("pictures", "--task", "vqa"), "needs a question"),
        (("pictures", "--ask", "?"), "cannot be read"),
        (("pictures", "--task", "tag", "--tile", "99"), "cannot be asked in tiles"),
        (("--dataset", "d", "--margin", "1"), "--margin needs --regions"),
        (("pictures", "--task", "verify"), "--regions FIELD"),
        (("pictures", "--task", "detect", "--chunk", "2"), "one picture at a time"),
        (("pictures", "--task", "tag", "--chunk", "2", "--batch"), "by batches"),
        (("--dataset", "d", "--examples-tag", "t"), "need --examples"),
    ],
)
@pytest.mark.usefixtures("ran")
def test_what_would_be_ignored_is_refused(options: tuple[str, ...], words: str) -> None:
    """Options that do not go together are an error before anything is sent."""
    for command in ("label", "plan"):
        result = CliRunner().invoke(app, [command, *options])
        said = f"{result.output} {result.exception}"
        assert result.exit_code
        assert words in " ".join(said.split())


def test_questions_are_read() -> None:
    """Name, words and choices; words may hold brackets and colons."""
    asked = read_asks(["a", "b: Is it 5:30?", "c: Ok? [yes| no]", "d [x|y]"], "--ask")
    assert asked == (
        Ask("a"),
        Ask("b", "Is it 5:30?"),
        Ask("c", "Ok?", ("yes", "no")),
        Ask("d", "", ("x", "y")),
    )
    with pytest.raises(UsageError, match="cannot be read"):
        read_asks(["two words"], "--ask")


def test_a_slice_of_a_group_is_asked_about(ran: Ran, tmp_path: Path) -> None:
    """--slice chooses the pictures of a grouped dataset, --others sends their twins."""
    grouped = fo.Dataset()
    try:
        grouped.add_group_field("group", default="left")
        group = fo.Group()
        for number, name in enumerate(("left", "right")):
            path = tmp_path / f"{name}.png"
            path.write_bytes(picture(number))
            grouped.add_sample(fo.Sample(str(path), group=group.element(name)))
        source = ("--dataset", grouped.name, "--task", "compare")
        (body,) = ran("--slice", "left", "--others", "right", source=source)
        parts = body["contents"][0]["parts"]
        assert sum("inlineData" in part for part in parts) == 2
        with pytest.raises(UsageError, match="has no slice 'top'"):
            ran("--slice", "top", source=source)
    finally:
        grouped.delete()
