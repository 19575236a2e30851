"""Several pictures in one request: told apart by their numbers, never by their places."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fiftyone_gemini.asking import Asking, Manner
from fiftyone_gemini.chunking import in_chunks, shared
from fiftyone_gemini.coco.folder import FolderSource
from fiftyone_gemini.coco.lines import LinesSink
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.budget import Budget
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Limits
from fiftyone_gemini.gemini.stored import Reuse
from fiftyone_gemini.gemini.tokens import prompt_tokens
from fiftyone_gemini.parsing.entries import read_entries
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.rerun import FAILED, failing
from fiftyone_gemini.shards.manifest import write_manifest
from fiftyone_gemini.values import Ask, Item, Question, Run, Shown, Status, Usage
from gemini_server import Say, Seen, Server, good, picture, refusal, serving
from hypothesis import given
from hypothesis import strategies as st

MODEL = "gemini-3.8-flash"
TASK = Question("classify")
counts = st.integers(0, 10**7)


@dataclass
class Bench:
    """Labels the pictures of a folder and keeps what each came to."""

    folder: Path
    journal: Path

    def run(
        self, endpoint: Endpoint, question: Question = TASK, chunk: int = 3, **more: Any
    ) -> Run:
        """Label all; `lines` has what was written."""
        run = self.ask(endpoint, question, chunk, **more)
        text = (self.folder / "lines.jsonl").read_text()
        self.lines = [json.loads(line) for line in text.splitlines()]
        return run

    def ask(
        self, endpoint: Endpoint, question: Question = TASK, chunk: int = 3, **more: Any
    ) -> Run:
        """Label all."""
        return label(
            FolderSource(self.folder),
            LinesSink(self.folder / "lines.jsonl"),
            question,
            model=MODEL,
            endpoint=endpoint,
            journal=self.journal,
            manner=Manner(chunk=chunk, **more.pop("manner", {})),
            **more,
        )

    @property
    def labels(self) -> list[str]:
        """Give the class of each picture, or its status."""
        return [
            ((v := line["values"]) and v[0]["label"]) or line["status"]
            for line in self.lines
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a folder of seven small pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(7):
        (folder / f"{number}.png").write_bytes(picture(number))
    return Bench(folder, tmp_path / "journal.sqlite")


def entries(*said: tuple[object, str]) -> Say:
    """Say a class for each number."""
    told = [{"image": number, "label": name} for number, name in said]
    return Say(body=good(json.dumps({"answers": told})))


def parts(seen: Seen) -> list[dict[str, Any]]:
    """Give the parts of a request."""
    found: list[dict[str, Any]] = seen.body["contents"][0]["parts"]
    return found


def numbers(seen: Seen) -> str:
    """List the numbers that a request announces."""
    told = (re.fullmatch(r"Image (\d):", part.get("text", "")) for part in parts(seen))
    return "".join(match[1] for match in told if match)


def pictures(seen: Seen) -> str:
    """Name the pictures of a request: `012`, or `alone 1`."""
    known = {picture(number): str(number) for number in range(7)}
    sent = (part["inlineData"]["data"] for part in parts(seen) if "inlineData" in part)
    names = "".join(known[base64.urlsafe_b64decode(data)] for data in sent)
    return names if numbers(seen) else f"alone {names}"


@contextmanager
def answering(says: Mapping[str, Say], then: Say | None = None) -> Iterator[Server]:
    """Serve an answer for each set of pictures, in whatever order they are asked."""

    def answer(number: int) -> Say:
        return says.get(pictures(server.seen[number]), then or Say())

    with serving(answer) as server:
        yield server


def alone(name: str) -> Say:
    """Answer about a picture that was asked about alone."""
    return Say(body=good(json.dumps({"label": name})))


REST = {"345": entries((1, "d"), (2, "e"), (3, "f")), "6": entries((1, "g"))}


def test_each_picture_gets_what_was_said_under_its_number(bench: Bench) -> None:
    """The order of the entries means nothing, and seven pictures are three requests."""
    says = {
        "012": entries((3, "c"), (1, "a"), (2, "b")),
        "345": entries(("Image 2:", "e"), ("1", "d"), (3, "f")),
        "6": entries((1, "g")),
    }
    with answering(says) as server:
        run = bench.run(server.endpoint())
        assert bench.labels == list("abcdefg")
        assert sorted(map(numbers, server.seen)) == ["1", "123", "123"]
        assert run.usage == Usage(prompt=3300, output=60)
        assert run.statuses == {Status.OK: 7}
        again = bench.run(server.endpoint())
        assert len(server.seen) == 3
    assert again.from_journal == 7
    assert again.usage == Usage()
    assert bench.labels == list("abcdefg")


def test_what_is_not_answered_for_sure_is_asked_alone(bench: Bench) -> None:
    """Missing, doubled, unreadable and unknown entries cost no neighbour anything."""
    says = {
        "012": entries((1, "a"), (3, "c"), (9, "x")),  # 2 is missing
        "345": entries((1, "d"), (2, "e"), (2, "z"), (3, "f")),  # 2 is doubled
        "6": Say(body=good('{"answers": [{"image": 1, "label": ""}]}')),
        "alone 1": alone("B"),
        "alone 4": alone("E"),
        "alone 6": alone("G"),
    }
    with answering(says) as server:
        run = bench.run(server.endpoint())
        assert bench.labels == ["a", "B", "c", "d", "E", "f", "G"]
        assert len(server.seen) == 6
        assert run.usage == Usage(prompt=6600, output=120)
        assert "3 pictures had no answer" in run.notes[-1]
        assert "1 doubled, 1 missing, 1 of no picture sent" in run.notes[-1]
        again = bench.run(server.endpoint())
        assert len(server.seen) == 6
    assert (again.from_journal, again.usage) == (7, Usage())
    assert bench.labels == ["a", "B", "c", "d", "E", "f", "G"]


def test_a_blocked_picture_does_not_cost_its_neighbours(bench: Bench) -> None:
    """A reply that is blocked as a whole is asked for again, picture by picture."""
    blocked = json.dumps(
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 100},
        }
    ).encode()
    says = {
        "012": Say(body=blocked),
        **REST,
        "alone 0": alone("a"),
        "alone 1": Say(body=blocked),
        "alone 2": alone("c"),
    }
    with answering(says) as server:
        run = bench.run(server.endpoint())
        assert bench.labels == ["a", "blocked", "c", "d", "e", "f", "g"]
        assert run.usage.prompt == 4 * 1100 + 200
        assert run.statuses == {Status.OK: 6, Status.BLOCKED: 1}
        # Only the picture that failed alone is asked about again.
        reuse = Reuse(failing(TASK, FAILED))
        bench.run(server.endpoint(), reuse=reuse)
        assert len(server.seen) == 7
        bench.run(server.endpoint(), reuse=Reuse(nothing_else=True))
        assert len(server.seen) == 7


def test_a_refused_picture_does_not_cost_its_neighbours(bench: Bench) -> None:
    """A request that is refused for good is asked picture by picture, and only once."""
    bad = refusal(400, "Unable to process input image.", reason="INVALID_ARGUMENT")
    says = {
        "012": bad,
        **REST,
        "alone 0": alone("a"),
        "alone 1": bad,
        "alone 2": alone("c"),
    }
    with answering(says) as server:
        run = bench.run(server.endpoint())
        assert bench.labels == ["a", "api_error", "c", "d", "e", "f", "g"]
        assert run.usage.prompt == 4 * 1100
        again = bench.run(server.endpoint())
    assert (again.from_journal, again.usage) == (6, Usage())


def test_what_did_not_come_through_waits_for_the_next_run(bench: Bench) -> None:
    """A server that is down is no reason to ask picture by picture."""
    limits = Limits(attempts=1)
    with answering({"012": Say(500), **REST}) as server:
        run = bench.run(server.endpoint(), limits=limits)
        assert len(server.seen) == 3
    assert run.statuses == {Status.OK: 4, Status.API_ERROR: 3}
    says = {"012": entries((1, "a"), (2, "b"), (3, "c"))}
    with answering(says) as server:
        bench.run(server.endpoint())
        assert [pictures(seen) for seen in server.seen] == ["012"]
    assert bench.labels == list("abcdefg")


def test_a_cut_reply_keeps_its_whole_entries(bench: Bench) -> None:
    """What stands before the cut is kept; the rest is asked about alone."""
    body = json.loads(good('{"answers": [{"image": 1, "label": "a"}, {"image": 2, "la'))
    body["candidates"][0]["finishReason"] = "MAX_TOKENS"
    says = {"012": Say(body=json.dumps(body).encode()), **REST}
    with answering(says | {"alone 1": alone("b"), "alone 2": alone("c")}) as server:
        run = bench.run(server.endpoint())
    assert bench.labels == list("abcdefg")
    assert run.statuses == {Status.OK: 7}


def test_a_picture_that_cannot_be_opened_costs_only_itself(bench: Bench) -> None:
    """The others of its request are asked about, under the numbers they have."""
    (bench.folder / "1.png").write_bytes(b"no picture")
    with answering({"02": entries((1, "a"), (3, "c")), **REST}) as server:
        run = bench.run(server.endpoint())
        assert "13" in map(numbers, server.seen)
        assert len(server.seen) == 3
    assert run.statuses == {Status.OK: 6, Status.MEDIA_ERROR: 1}
    assert "1.png" in bench.lines[1]["error"]


def test_a_budget_holds_for_both_rounds(bench: Bench) -> None:
    """What the first requests cost is not there for those about single pictures."""
    body = good("{}", candidatesTokenCount=3000).replace(b"m-1", MODEL.encode())
    dear = Say(body=body, seconds=0.01)
    with answering({}, dear) as server:
        endpoint = replace(server.endpoint(), kind="gemini")
        budget = Budget(0.09)
        run = bench.ask(endpoint, limits=Limits(budget=budget))
    assert run.cost_usd is not None
    assert run.cost_usd <= budget.usd
    assert run.statuses == {Status.SKIPPED: 7}
    assert len(server.seen) == 3


def test_several_asks_are_kept_apart(bench: Bench) -> None:
    """With --times each round of chunks has replies of its own."""
    says = {
        "0123": entries((1, "a"), (2, "b"), (3, "c"), (4, "d")),
        "456": entries((1, "e"), (2, "f"), (3, "g")),
    }
    with answering(says) as server:
        run = bench.run(server.endpoint(), chunk=4, manner={"times": 2})
        assert run.statuses == {Status.OK: 14}
        assert len(server.seen) == 4


@given(counts, counts, counts, counts, st.integers(1, 50))
def test_shares_add_up(a: int, b: int, c: int, d: int, count: int) -> None:
    """Whole tokens are shared out, none is lost and none is invented."""
    usage = Usage(a, b, c, d)
    shares = list(shared(usage, count))
    assert sum(shares, Usage()) == usage
    assert max(s.prompt for s in shares) - min(s.prompt for s in shares) <= 1


@given(st.lists(st.integers(0, 99), max_size=8), st.data())
def test_entries_survive_a_cut(said: list[int], data: st.DataObject) -> None:
    """Whatever stands whole before a cut is read, and nothing else."""
    told = [{"image": n, "labels": [{"label": "x"}, {"label": "y"}]} for n in said]
    text = json.dumps({"answers": told})
    cut = data.draw(st.integers(0, len(text)))
    found = read_entries(text[:cut])
    assert [e.number for e in found] == said[: len(found)]
    assert len(read_entries(f"Here:\n```json\n{text}\n```")) == len(said)
    assert all(len(json.loads(e.text)["labels"]) == 2 for e in found)


@given(st.text(alphabet='{}[]"image:1, \\`', max_size=60))
def test_no_text_raises(text: str) -> None:
    """Reading never raises."""
    read_entries(text)


@pytest.mark.parametrize(
    ("question", "manner", "why"),
    [
        (Question("detect"), {}, "one picture at a time"),
        (TASK, {"chunk": 51}, "50 pictures at once at most"),
        (replace(TASK, instruction="It is {name}."), {}, "words {name}"),
        (TASK, {"examples": (Shown(Item("", "x"), ()),)}, "examples"),
        (TASK, {"tile": 512}, "cannot be asked in tiles"),
        (Question("vqa", asks=(Ask("image", "?"),)), {}, "named 'image'"),
        (TASK, {"chunk": 0}, "cannot be asked about"),
    ],
)
def test_what_does_not_go_with_chunks_is_refused(
    question: Question, manner: dict[str, Any], why: str
) -> None:
    """What would be ignored or mixed up is refused before asking."""
    with pytest.raises(UsageError, match=why):
        Asking.about(question, MODEL, Manner(**{"chunk": 2, **manner}))


def test_shards_take_no_chunks(bench: Bench) -> None:
    """The rows of a manifest are single pictures."""
    asking = Asking.about(TASK, MODEL, Manner(chunk=2))
    with pytest.raises(UsageError, match="take no chunks"):
        write_manifest(
            str(bench.folder / "m"), FolderSource(bench.folder), asking, shards=1
        )


def test_a_plan_counts_requests(bench: Bench) -> None:
    """Seven pictures by three are three requests; their tokens are all counted."""
    source = FolderSource(bench.folder)
    plan = plan_run(source, TASK, model=MODEL, manner=Manner(chunk=3))
    asking = Asking.about(TASK, MODEL, Manner(chunk=3))
    sent = [asking.sketch(i) for i in in_chunks(source.items(), 3)]
    assert plan.requests == len(sent) == 3
    assert plan.likely.prompt_tokens == sum(prompt_tokens(each) for each in sent)
    single = plan_run(source, TASK, model=MODEL)
    assert plan.likely.output_tokens == single.likely.output_tokens
    twice = plan_run(source, TASK, model=MODEL, manner=Manner(chunk=3, times=2))
    assert twice.requests == 6


@pytest.fixture(scope="module")
def emulator(demo: Path) -> Iterator[Endpoint]:
    """Give an emulator that answers from the truth of the demo scenes."""
    settings = Settings(truth=str(demo / "annotations.json"), images=str(demo / "data"))
    with running_emulator(settings) as running:
        yield endpoint_from_environment({}, base_url=running.url)


@pytest.mark.parametrize(
    "question",
    [
        TASK,
        Question("tag", confidence=True),
        Question("caption"),
        Question(
            "vqa", asks=(Ask("n", "How many objects?"), Ask("c", "How many cups?"))
        ),
    ],
    ids=lambda q: q.task,
)
def test_chunks_say_what_single_questions_say(
    question: Question, emulator: Endpoint, demo: Path, tmp_path: Path
) -> None:
    """The same pictures, asked about together and one by one, get the same labels."""
    truth = read_coco(demo / "annotations.json")
    source = FolderSource(replace(truth, images=truth.images[:5]))
    found = []
    for chunk in (1, 2):
        sink = LinesSink(tmp_path / f"{chunk}.jsonl")
        run = label(
            source,
            sink,
            question,
            model=MODEL,
            endpoint=emulator,
            journal=tmp_path / "journal.sqlite",
            manner=Manner(chunk=chunk),
        )
        lines = [json.loads(line) for line in sink.path.read_text().splitlines()]
        found.append([(line["file"], line["status"], line["values"]) for line in lines])
        assert set(run.statuses) == {Status.OK}
    assert found[0] == found[1]
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert len(journal) == 5 + 3
