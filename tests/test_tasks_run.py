"""Every task from picture to label: the real client asks the emulator over HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fiftyone_gemini.asking import Manner
from fiftyone_gemini.coco.folder import FolderSource
from fiftyone_gemini.coco.lines import LinesSink
from fiftyone_gemini.coco.read import CocoDataset, read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Ask, Detection, Item, Question, Status

MODEL = "gemini-3.8-flash"


@dataclass(frozen=True, slots=True)
class Bench:
    """Labels four demo scenes through an emulator that answers from their truth."""

    truth: CocoDataset
    endpoint: Endpoint
    folder: Path

    def ask(self, question: Question, manner: Manner | None = None) -> list[Any]:
        """Ask about all scenes; give the lines that were written."""
        sink = LinesSink(self.folder / "lines.jsonl")
        run = label(
            Pairs(self.truth),
            sink,
            question,
            model=MODEL,
            endpoint=self.endpoint,
            journal=self.folder / "journal.sqlite",
            manner=manner or Manner(),
        )
        assert set(run.statuses) <= {Status.OK, Status.EMPTY}
        return [json.loads(line) for line in sink.path.read_text().splitlines()]


class Pairs(FolderSource):
    """The scenes, each with the next one as its other picture."""

    def items(self) -> Iterator[Item]:
        """Give each with the next."""
        every = list(super().items())
        for item, other in zip(every, [*every[1:], every[0]], strict=True):
            yield replace(item, others=(other.path,))


@pytest.fixture(scope="module")
def answering(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give scenes where the first object of each bears some writing."""
    folder = tmp_path_factory.mktemp("truth")
    document = json.loads((demo / "annotations.json").read_text())
    marked: set[int] = set()
    for entry in document["annotations"]:
        if entry["image_id"] not in marked:
            marked.add(entry["image_id"])
            entry["attributes"] = {"text": f"NO {entry['image_id']}"}
    (folder / "truth.json").write_text(json.dumps(document))
    truth = read_coco(demo / "annotations.json")
    truth = replace(truth, images=truth.images[:4])
    settings = Settings(truth=str(folder / "truth.json"), images=str(demo / "data"))
    with running_emulator(settings) as emulator:
        endpoint = endpoint_from_environment({}, base_url=emulator.url)
        yield Bench(truth, endpoint, folder)


@pytest.fixture
def bench(answering: Bench, tmp_path: Path) -> Bench:
    """Give the scenes with a journal of the test's own."""
    return replace(answering, folder=tmp_path)


def things(bench: Bench) -> list[tuple[Detection, ...]]:
    """Give the true objects of each scene, in the order of the lines."""
    by_id = sorted(bench.truth.images, key=lambda image: int(image.image_id))
    return [tuple(d for d in i.detections if not d.is_crowd) for i in by_id]


def test_points_lie_on_their_objects(bench: Bench) -> None:
    """Each object has one point, of its label, inside of its mask."""
    for line, truth in zip(bench.ask(Question("point")), things(bench), strict=True):
        assert len(line["values"]) == len(truth)
        for point, detection in zip(line["values"], truth, strict=True):
            mask = detection.mask
            assert mask is not None
            row, column = int(point["y"]) - mask.y, int(point["x"]) - mask.x
            assert point["label"] == detection.label
            assert mask.crop[row, column]


def test_a_path_goes_through_its_objects(bench: Bench) -> None:
    """A path has its points in order, from the left to the right."""
    for line in bench.ask(Question("path", instruction="From thing to thing.")):
        for path in line["values"]:
            across = [x for x, _ in path["points_xy_px"]]
            assert across == sorted(across)
            assert len(across) > 4


def test_boxes_in_space_are_drawn_around_their_objects(bench: Bench) -> None:
    """With the emulator's own field of view, the near edges enclose the object."""
    asked = bench.ask(Question("box3d", fov_degrees=60.0))
    for line, truth in zip(asked, things(bench), strict=True):
        for solid, detection in zip(line["values"], truth, strict=True):
            corners = [point for edge in solid["edges_xy_px"] for point in edge]
            x0, y0, x1, y1 = detection.box.xyxy_px
            assert min(x for x, _ in corners) <= x0 + 2
            assert max(x for x, _ in corners) >= x1 - 2
            assert min(y for _, y in corners) <= y0 + 2
            assert max(y for _, y in corners) >= y1 - 2


def test_tags_are_the_labels_that_are_there(bench: Bench) -> None:
    """All labels for `tag`, those of the list where there is one; one for `classify`."""
    truth = [{d.label for d in found} for found in things(bench)]
    tags = [{v["label"] for v in line["values"]} for line in bench.ask(Question("tag"))]
    assert tags == truth
    names = tuple(sorted(set.union(*truth)))[:2]
    lines = bench.ask(Question("tag", names))
    assert [{v["label"] for v in line["values"]} for line in lines] == [
        found & set(names) for found in truth
    ]
    for line, found in zip(bench.ask(Question("classify")), truth, strict=True):
        (one,) = line["values"]
        assert one["label"] in found


def test_captions_and_answers_say_what_is_there(bench: Bench) -> None:
    """A caption names every label; counts, presence and choices are answered."""
    truth = [Counter(d.label for d in found) for found in things(bench)]
    first = next(iter(truth[0]))
    for line, counts in zip(bench.ask(Question("caption")), truth, strict=True):
        (caption,) = line["values"]
        assert all(name in caption["text"] for name in counts)
    asks = (
        Ask("amount", f"How many {first}s are there?"),
        Ask("present", f"Is there a {first}?", ("yes", "no")),
        Ask("all_things", "How many objects are there in all?"),
        Ask("mood", "What is the mood of the picture?"),
    )
    for line, counts in zip(bench.ask(Question("vqa", asks=asks)), truth, strict=True):
        said = {value["name"]: value["text"] for value in line["values"]}
        assert said["amount"] == str(counts[first])
        assert said["present"] == ("yes" if counts[first] else "no")
        assert said["all_things"] == str(counts.total())
        assert "cannot tell" in said["mood"]


def test_writing_is_read(bench: Bench) -> None:
    """`ocr` gives boxes with their text, `read` the text alone."""
    truth = things(bench)
    texts = [f"NO {line['sample_id']}" for line in bench.ask(Question("read"))]
    assert [line["values"][0]["text"] for line in bench.ask(Question("read"))] == texts
    for line, text, found in zip(bench.ask(Question("ocr")), texts, truth, strict=True):
        (box,) = line["values"]
        assert (box["label"], box["attributes"]) == (text, {"text": text})
        assert box["box"]["x"] == pytest.approx(found[0].box.x, abs=1)


def test_two_pictures_are_compared(bench: Bench) -> None:
    """What is only in one of the pictures is named; a lone picture is refused."""
    truth = [Counter(d.label for d in found) for found in things(bench)]
    lines = bench.ask(Question("compare"))
    for line, here, there in zip(lines, truth, [*truth[1:], truth[0]], strict=True):
        said = {value["name"]: value["text"] for value in line["values"]}
        for name in here - there:
            assert name in said["only_first"]
        for name in there - here:
            assert name in said["only_others"]
        assert said["difference"].endswith(".")
        assert line["others"]


def test_attributes_come_from_the_pixels(bench: Bench) -> None:
    """A colour is told of each object; what cannot be told within its choices is not."""
    asked = (Ask("colour"), Ask("state", "is it broken", ("whole", "broken")))
    lines = bench.ask(Question("detect", attributes=asked))
    colours = [v["attributes"]["colour"] for line in lines for v in line["values"]]
    assert len(set(colours)) > 2
    assert all("state" not in v["attributes"] for line in lines for v in line["values"])
    codes = {issue["code"] for line in lines for issue in line["issues"]}
    assert codes == {"attribute_missing"}


def test_each_asking_has_a_reply_of_its_own(bench: Bench) -> None:
    """Asked three times, each picture has three lines and three replies in the journal."""
    lines = bench.ask(Question("tag"), Manner(times=3))
    assert [line.get("attempt", 0) for line in lines] == [0, 1, 2] * 4
    with Journal(bench.folder / "journal.sqlite") as journal:
        assert len(journal) == 12
    bench.ask(Question("tag"))
    with Journal(bench.folder / "journal.sqlite") as journal:
        assert len(journal) == 12
    with pytest.raises(UsageError, match="ask once or more"):
        Manner(times=0)
