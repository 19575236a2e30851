"""A run in shards: planned, worked on anywhere, killed, merged; every item once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from fiftyone_gemini.asking import Asking, Manner
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import CocoSink, FolderSource, UrlSource
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.pool import Limits
from fiftyone_gemini.shards import shard as shard_module
from fiftyone_gemini.shards.manifest import Manifest, read_manifest, write_manifest
from fiftyone_gemini.shards.merge import merge
from fiftyone_gemini.shards.segments import Segments
from fiftyone_gemini.shards.work import Moved, Terms, Worked, own_journal, work
from fiftyone_gemini.values import Item, Parsed, Question, Run, Status, Usage
from gemini_server import FAST, KEY, Say, Server, good, picture, refusal, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

if TYPE_CHECKING:
    import fiftyone as fo

MODEL = "gemini-3.8-flash"
CUP = '[{"box_2d": [0, 0, 500, 500], "label": "cup"}]'
COUNT = 12


def say_cup(number: int) -> Say:
    """Answer every question with one cup."""
    return Say(body=good(CUP))


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.parsed: list[Parsed] = []
        self.run: Run | None = None

    def write(self, parsed: Parsed) -> None:
        """Take one item."""
        self.parsed.append(parsed)

    def finish(self, run: Run) -> None:
        """Take the record."""
        self.run = run

    @property
    def ids(self) -> list[str]:
        """The items, in order of their names."""
        return sorted(parsed.item.sample_id for parsed in self.parsed)


class Desk:
    """A folder of pictures with its manifest, and workers that are asked to work."""

    def __init__(self, folder: Path, shards: int = 3, count: int = COUNT) -> None:
        self.folder = folder
        self.pictures = folder / "pictures"
        self.pictures.mkdir()
        self.names = [f"{number:03}.png" for number in range(count)]
        for number, name in enumerate(self.names):
            (self.pictures / name).write_bytes(picture(number))
        self.out = str(folder / "replies")
        self.manifest = self.plan(shards)

    def plan(self, shards: int, name: str = "manifest.jsonl") -> Manifest:
        """Write a manifest."""
        asking = Asking.about(Question("detect"), MODEL)
        source = FolderSource(self.pictures)
        place = str(self.folder / name)
        return write_manifest(place, source, asking, shards=shards)

    def work(
        self, shard: int, server: Server, machine: str = "a", **terms: object
    ) -> Worked:
        """Work on a shard on a machine: each has a journal of its own."""
        journal = self.folder / f"{machine}.sqlite"
        limits = Limits(in_flight=4, **FAST)
        chosen = Terms(**{"limits": limits, "journal": journal, **terms})
        manifest, endpoint = read_manifest(self.manifest.place), server.endpoint()
        return work(manifest, shard, self.out, endpoint=endpoint, terms=chosen)

    def work_all(self, server: Server) -> None:
        """Work on all shards."""
        for shard in range(1, self.manifest.shards + 1):
            assert self.work(shard, server).success is not None

    def merge(self, *, partial: bool = False) -> Kept:
        """Merge into a sink that keeps everything."""
        kept = Kept()
        merge(self.manifest, self.out, kept, partial=partial)
        return kept

    def segments(self, shard: int) -> list[Path]:
        """Name the files of a shard."""
        folder = Path(Segments(self.out, self.manifest, shard).folder)
        return sorted(folder.glob("seg-*"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give twelve pictures in three shards."""
    return Desk(tmp_path)


def without_run(file: Path) -> dict:
    """Read a COCO file but for the record of its run."""
    document = json.loads(file.read_text())
    del document["info"]
    return document


def command(*arguments: str) -> tuple[int, str]:
    """Run the command line; give its exit code and what it printed."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_shards_come_to_the_same_labels_as_one_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`plan`, `work` on each shard and `merge` write what `label` writes."""
    monkeypatch.chdir(desk.folder)
    with serving(say_cup) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("TMPDIR", str(desk.folder))
        assert command("label", "pictures", "--out", "one.json")[0] == 0
        code, text = command("plan", "pictures", "--shards", "3", "--out", "m.jsonl")
        assert (code, "12 items in 3 shards" in text) == (0, True)
        for shard in ("1/3", "2", "3/3"):
            code, text = command("work", "m.jsonl", "--shard", shard, "--out", "r")
            assert (code, "is whole: 4 items" in text) == (0, True)
        assert command("merge", "m.jsonl", "--from", "r", "--out", "all.json")[0] == 0
    assert without_run(Path("all.json")) == without_run(Path("one.json"))
    record = json.loads(Path("all.json").read_text())["info"]["gemini_run"]
    assert record["statuses"] == {"ok": COUNT}
    assert record["parameters"]["shards"] == 3
    assert record["usage"]["prompt"] == COUNT * 1100


@pytest.mark.slow
def test_a_worker_needs_neither_fiftyone_nor_mongodb(desk: Desk) -> None:
    """With their packages out of reach, planning, working and merging go on."""
    blocked = "import sys; sys.modules |= dict.fromkeys(('fiftyone','pymongo','bson'));"
    run = f"{blocked} from fiftyone_gemini.cli import main; main()"
    with serving(say_cup) as server:
        for arguments in (
            ["plan", "pictures", "--shards", "1", "--out", "m.jsonl"],
            [
                "work",
                "m.jsonl",
                "--shard",
                "1/1",
                "--out",
                "r",
                "--journal",
                "j.sqlite",
            ],
            ["merge", "m.jsonl", "--from", "r"],
        ):
            subprocess.run(
                [sys.executable, "-c", run, *arguments],
                cwd=desk.folder,
                env={**os.environ, "GOOGLE_GEMINI_BASE_URL": server.url},
                check=True,
                capture_output=True,
            )
    assert len(without_run(desk.folder / "labels.json")["images"]) == COUNT


def test_a_shard_that_is_whole_is_never_asked_again(desk: Desk) -> None:
    """A second try, also on another machine, sends nothing."""
    with serving(say_cup) as server:
        desk.work(1, server)
        assert len(server.seen) == 4
        again = desk.work(1, server, machine="b")
    assert (again.success.items, again.run, len(server.seen)) == (4, None, 4)


def test_a_machine_that_vanished_costs_what_was_in_no_segment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine asks only for items without a row, and `_SUCCESS` is last."""
    monkeypatch.setattr(shard_module, "ROWS", 1)
    monkeypatch.setattr(Segments, "finish", stop_here)
    with serving(say_cup) as server:
        with pytest.raises(KeyboardInterrupt):
            desk.work(1, server)
        monkeypatch.undo()
        first, *_ = desk.segments(1)
        first.unlink()
        desk.work(1, server, machine="b")
    asked = Counter(seen.picture for seen in server.seen)
    assert sorted(asked.values()) == [1, 1, 1, 2]


def stop_here(*_: object) -> None:
    """End a worker right before its last word."""
    raise KeyboardInterrupt


def test_a_try_that_ended_before_its_last_word_is_concluded(desk: Desk) -> None:
    """All rows without `_SUCCESS`: nothing is asked, and it is written."""
    with serving(say_cup) as server:
        desk.work(2, server)
        (desk.segments(2)[0].parent / "_SUCCESS").unlink()
        assert desk.work(2, server, machine="b").success.items == 4
        assert len(server.seen) == 4


@pytest.mark.slow
def test_a_killed_worker_pays_twice_only_for_what_was_in_flight(
    tmp_path: Path,
) -> None:
    """`kill -9` in the middle of a shard: its journal has all but the open requests."""
    desk = Desk(tmp_path, shards=1, count=40)
    with serving(lambda _: Say(body=good(CUP), seconds=0.05)) as server:
        process = start_worker(desk, server)
        wait_until(lambda: len(server.seen) >= 15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not Path(desk.out).exists()
        process = start_worker(desk, server)
        assert process.wait(60) == 0, process.communicate()
    asked = Counter(seen.picture for seen in server.seen)
    assert len(asked) == 40
    assert asked.total() - 40 <= 4
    assert desk.merge().ids == desk.names
    assert desk.merge().run.from_journal == 0


@pytest.mark.slow
def test_sigterm_writes_a_segment_and_ends(tmp_path: Path) -> None:
    """As a cluster ends a job: what is open is awaited and written; it goes on later."""
    desk = Desk(tmp_path, shards=1, count=40)
    with serving(lambda _: Say(body=good(CUP), seconds=0.05)) as server:
        process = start_worker(desk, server)
        wait_until(lambda: len(server.seen) >= 10)
        process.terminate()
        printed = process.communicate(timeout=60)[0]
        assert (process.returncode, "goes on" in printed) == (1, True)
        kept = desk.merge(partial=True)
        assert len(kept.parsed) == len(server.seen)
        assert kept.run.statuses[Status.SKIPPED] == 40 - len(server.seen)
        desk.work(1, server, machine="b")
    assert len(server.seen) == 40


def start_worker(desk: Desk, server: Server) -> subprocess.Popen[str]:
    """Start `work` on the only shard, as a program."""
    arguments = ["work", "manifest.jsonl", "--shard", "1/1", "--out", desk.out]
    more = ["--journal", "killed.sqlite", "--in-flight", "4"]
    return subprocess.Popen(
        [sys.executable, "-m", "fiftyone_gemini", *arguments, *more],
        cwd=desk.folder,
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(reached: Callable[[], bool]) -> None:
    """Wait up to half a minute."""
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_items_without_a_reply_are_asked_again_when_that_is_wished(desk: Desk) -> None:
    """A refusal is a row with its reason; `again` asks for these alone."""
    refused = refusal(400, "This picture is not wanted.")
    with serving([refused, *[say_cup(0)] * 7]) as server:
        assert desk.work(1, server).success.failed == 1
        bad = [p for p in desk.merge(partial=True).parsed if p.status != Status.OK]
        assert [p.status for p in bad] == [Status.API_ERROR]
        assert "not wanted" in bad[0].error
        assert desk.work(1, server).run is None
        assert desk.work(1, server, again=True).success.failed == 0
    assert len(server.seen) == 5
    assert {p.status for p in desk.merge(partial=True).parsed} == {Status.OK}


def test_two_workers_on_one_shard_give_every_item_once(desk: Desk) -> None:
    """Both wrote all rows: one of each counts, and the bill has what both paid."""
    with serving(say_cup) as server:
        desk.work(1, server)
        kept = desk.segments(1)[0]
        elsewhere = kept.parent.rename(desk.folder / "aside")
        desk.work(1, server, machine="b")
        other = elsewhere / kept.name
        other.rename(kept.parent / re.sub("seg-00000", "seg-00001", kept.name))
        merged = desk.merge(partial=True)
    assert len(desk.segments(1)) == 2
    assert merged.ids == desk.names[:4]
    assert merged.run.usage.prompt == 8 * 1100


def test_equal_pictures_are_paid_for_once_on_one_machine(tmp_path: Path) -> None:
    """The second of two equal pictures is free, in the record too."""
    desk = Desk(tmp_path, shards=2, count=4)
    for name in desk.names:
        (desk.pictures / name).write_bytes(picture(1))
    with serving(say_cup) as server:
        desk.work_all(server)
    run = desk.merge().run
    assert len(server.seen) == 1
    assert (run.usage.prompt, run.from_journal) == (1100, 3)


def test_what_is_asked_twice_has_two_rows(tmp_path: Path) -> None:
    """Each attempt is an item of its own, also where a shard begins between two."""
    desk = Desk(tmp_path, shards=1, count=3)
    asking = Asking.about(Question("detect"), MODEL, Manner(times=2))
    source = FolderSource(desk.pictures)
    place = str(tmp_path / "twice.jsonl")
    desk.manifest = write_manifest(place, source, asking, shards=2)
    with serving(say_cup) as server:
        desk.work_all(server)
    kept = desk.merge()
    assert len(server.seen) == 6
    assert sorted((p.item.sample_id, p.item.attempt) for p in kept.parsed) == [
        (name, attempt) for name in desk.names for attempt in (0, 1)
    ]
    assert kept.run.parameters["times"] == 2


@pytest.mark.slow
def test_shards_are_labelled_by_the_batch_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`work --batch` submits, the same command fetches, each picture is paid for once."""
    monkeypatch.chdir(tmp_path)
    demo = Path(__file__).resolve().parents[1] / "datasets/demo"
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for file in sorted((demo / "data").glob("*.jpg"))[:4]:
        (pictures / file.name).write_bytes(file.read_bytes())
    with running_emulator(Settings(truth=str(demo / "annotations.json"))) as emulator:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator.url)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        assert command("plan", "pictures", "--shards", "2", "--out", "m.jsonl")[0] == 0
        for shard in ("1/2", "2/2"):
            order = ("work", "m.jsonl", "--shard", shard, "--out", "r", "--batch")
            code, text = command(*order)
            assert (code, "not answered yet" in text) == (1, True)
            code, text = command(*order, "--wait")
            assert (code, "is whole: 2 items" in text) == (0, True)
        assert command("merge", "m.jsonl", "--from", "r", "--out", "all.json")[0] == 0
        assert command("label", "pictures", "--out", "one.json")[0] == 0
        log = httpx2.get(f"{emulator.url}/emulator/log").json()
    assert without_run(Path("all.json")) == without_run(Path("one.json"))
    paid = [entry for entry in log if entry["paid"] and entry["batch"]]
    assert len(paid) == len({entry["picture"] for entry in paid}) == 4


def test_missing_shards_are_named(desk: Desk) -> None:
    """A merge says which shards are not there; what is there can be merged."""
    with serving(say_cup) as server:
        desk.work(2, server)
    with pytest.raises(UsageError, match="Shards 1, 3 are not there yet"):
        desk.merge()
    kept = desk.merge(partial=True)
    assert kept.ids == desk.names[4:8]
    assert kept.run.statuses == {Status.OK: 4, Status.SKIPPED: 8}
    assert any("Shards 1, 3 are not there yet" in note for note in kept.run.notes)


def test_a_damaged_segment_is_found_and_can_be_made_again(desk: Desk) -> None:
    """A changed byte stops the merge with what to do; then only its items are asked."""
    with serving(say_cup) as server:
        desk.work_all(server)
        segment = desk.segments(2)[0]
        segment.write_bytes(segment.read_bytes().replace(b"cup", b"cap", 1))
        with pytest.raises(FormatError, match="not as it was written"):
            desk.merge()
        segment.unlink()
        with pytest.raises(FormatError, match="have no row"):
            desk.merge()
        (segment.parent / "_SUCCESS").unlink()
        desk.work(2, server, machine="b")
    assert desk.merge().ids == desk.names


def test_replies_of_another_manifest_are_not_taken(desk: Desk) -> None:
    """Neither a worker nor a merge mixes two plans in one folder."""
    with serving(say_cup) as server:
        desk.work_all(server)
        (desk.pictures / "new.png").write_bytes(picture(99))
        desk.manifest = desk.plan(3)
        with pytest.raises(UsageError, match="another manifest"):
            desk.work(1, server)
    with pytest.raises(UsageError, match="another manifest"):
        desk.merge()


def test_the_same_plan_has_the_same_id(desk: Desk) -> None:
    """Planning again goes on with the same replies; another split does not."""
    assert desk.plan(3, "b.jsonl").id == desk.manifest.id
    assert desk.plan(4, "c.jsonl").id != desk.manifest.id


def test_replies_of_gemini_and_the_emulator_are_not_mixed(desk: Desk) -> None:
    """A shard begun at one kind of place is not gone on with at another."""
    with serving(say_cup) as server:
        desk.work(1, server)
        (desk.segments(1)[0].parent / "_SUCCESS").unlink()
        gemini = Endpoint("gemini", KEY, server.url)
        with pytest.raises(UsageError, match="not mixed"):
            work(desk.manifest, 1, desk.out, endpoint=gemini)


def test_workers_must_word_the_question_as_it_was_planned(desk: Desk) -> None:
    """A program of another version that asks otherwise is refused."""
    header = replace(desk.manifest.header, prompt="Detect?", code_version="0.0.7")
    other = replace(desk.manifest, header=header)
    with pytest.raises(UsageError, match=r"version 0\.0\.7, which words"):
        work(other, 1, desk.out, endpoint=Endpoint("emulator"))


def test_pictures_may_have_moved(desk: Desk) -> None:
    """A worker finds them elsewhere; the labels keep the paths that were planned."""
    moved = desk.pictures.rename(desk.folder / "mounted")
    with serving(say_cup) as server:
        assert desk.work(1, server, moved=Moved(str(desk.pictures), str(moved))).success
    paths = {Path(p.item.path).parent for p in desk.merge(partial=True).parsed}
    assert paths == {desk.pictures}


def test_only_the_folder_that_moved_is_replaced() -> None:
    """A folder whose name only begins alike stays, with or without a last slash."""
    for old, new in (("/data/a", "gs://b/a"), ("/data/a/", "gs://b/a/")):
        moved = Moved(old, new)
        assert moved.apply("/data/a/x/1.jpg") == "gs://b/a/x/1.jpg"
        assert moved.apply("/data/ab/1.jpg") == "/data/ab/1.jpg"


def test_the_journal_of_a_worker_is_the_users_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the folder for temporary files, and refused where others may write."""
    monkeypatch.setattr("tempfile.tempdir", str(desk.folder / "tmp"))
    journal = own_journal(desk.manifest)
    assert journal.parent.stat().st_mode & 0o777 == 0o700
    assert journal.is_relative_to(desk.folder / "tmp")
    journal.parent.chmod(0o777)
    with pytest.raises(UsageError, match="by others"):
        own_journal(desk.manifest)


def test_a_budget_is_that_of_one_shard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`work --budget` stops as `label --budget` does: a sentence, and exit code 1."""
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    arguments = ("work", "manifest.jsonl", "--shard", "1", "--out", "r")
    with pytest.raises(UsageError, match="nothing could be asked"):
        command(*arguments, "--budget", "0.001", "--journal", "j.sqlite")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shard", "0/3"], "1 to 3"),
        (["--shard", "4"], "1 to 3"),
        (["--shard", "1/4"], "3 shards, not 4"),
        (["--shard", "one"], "names no shard"),
        ([], "either one --shard, or --beam"),
        (["--shard", "1", "--beam"], "either one --shard, or --beam"),
        (["--shard", "1", "--moved", "here"], "OLD=NEW"),
    ],
)
def test_a_shard_that_is_not_there_is_a_sentence(
    desk: Desk, arguments: list[str], words: str
) -> None:
    """What cannot be worked on is said before anything is asked."""
    with pytest.raises(UsageError, match=words):
        command("work", desk.manifest.place, "--out", desk.out, *arguments)


def test_more_shards_than_items_are_refused(desk: Desk) -> None:
    """Shards without items would be of no use."""
    with pytest.raises(UsageError, match="take 1 to 12"):
        desk.plan(13)


def test_what_is_no_manifest_is_a_sentence(desk: Desk) -> None:
    """Another file, a cut file and a missing file are told apart."""
    place = desk.folder / "x.jsonl"
    with pytest.raises(FormatError, match="does not exist"):
        read_manifest(str(place))
    place.write_text('{"a": 1}\n')
    with pytest.raises(FormatError, match="not a manifest"):
        read_manifest(str(place))
    whole = Path(desk.manifest.place).read_bytes()
    place.write_bytes(whole[:-10])
    with pytest.raises(FormatError, match="cut short"):
        list(read_manifest(str(place)).items_of(3))
    place.write_bytes(whole.replace(b'"manifest":1', b'"manifest":7', 1))
    with pytest.raises(FormatError, match="version 7"):
        read_manifest(str(place))


class Many:
    """A source of any number of items, none of which is in memory."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        """Count them."""
        return self.count

    def items(self):
        """Give one after the other."""
        return (Item(f"{n:024x}", f"/photos/{n}.jpg") for n in range(self.count))


@pytest.mark.slow
def test_a_worker_reads_its_part_of_a_large_manifest_only(tmp_path: Path) -> None:
    """Of 100,000 lines in 400 shards a worker holds and reads next to nothing."""
    place = tmp_path / "m.jsonl"
    asking = Asking.about(Question("detect"), MODEL)
    write_manifest(str(place), Many(100_000), asking, shards=400)
    code = (
        "import resource, sys\n"
        "from fiftyone_gemini.shards.manifest import read_manifest\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "items = list(read_manifest(sys.argv[1]).items_of(300))\n"
        "print(len(items), items[0].path, items[-1].path, peak() - before)"
    )
    run = [sys.executable, "-c", code, str(place)]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    count, first, last, kilobytes = done.stdout.split()
    assert (count, first) == ("250", "/photos/74750.jpg")
    assert last == "/photos/74999.jpg"
    assert place.stat().st_size > 5_000_000
    assert int(kilobytes) < 2_000


@settings(max_examples=15)
@given(
    names=st.lists(st.text(min_size=1), min_size=1, max_size=20, unique=True),
    data=st.data(),
)
def test_any_name_survives_the_manifest(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    """Ids and paths come out of the shards as they went in, in order, each once."""
    place = str(tmp_path_factory.mktemp("names") / "m.jsonl")
    shards = data.draw(st.integers(1, len(names)))
    source = Many(len(names))
    source.items = lambda: (Item(name, f"/{name}") for name in names)
    asking = Asking.about(Question("detect"), MODEL, Manner(max_side=640))
    write_manifest(place, source, asking, shards=shards)
    manifest = read_manifest(place)
    found = [i for n in range(shards) for i in manifest.items_of(n + 1)]
    assert [item.sample_id for item in found] == names
    assert [item.path for item in found] == [f"/{name}" for name in names]
    assert manifest.header.manner == Manner(max_side=640)


def test_a_name_that_is_no_text_is_a_sentence(desk: Desk) -> None:
    """A file name that is not Unicode cannot stand in a manifest."""
    (desk.pictures / os.fsdecode(b"\xff.png")).write_bytes(picture())
    with pytest.raises(FormatError, match="no Unicode"):
        desk.plan(2)


def test_everything_may_be_far_away(tmp_path: Path) -> None:
    """Pictures, manifest and replies at URLs of fsspec; nothing near but the journal."""
    import fsspec

    memory = fsspec.filesystem("memory")
    for number in range(6):
        memory.pipe_file(f"/far/photos/{number}/x.png", picture(number))
    memory.pipe_file("/far/photos/notes.txt", b"no picture")
    source = UrlSource("memory://far/photos/")
    asking = Asking.about(Question("detect"), MODEL)
    write_manifest("memory://far/m.jsonl", source, asking, shards=2)
    manifest = read_manifest("memory://far/m.jsonl")
    terms = Terms(journal=tmp_path / "j.sqlite", limits=Limits(in_flight=2))
    with serving(say_cup) as server:
        for shard in (1, 2, 2):
            work(
                manifest,
                shard,
                "memory://far/out",
                endpoint=server.endpoint(),
                terms=terms,
            )
        assert len(server.seen) == 6
    kept = Kept()
    merge(manifest, "memory://far/out", kept)
    assert kept.ids == [f"{number}/x.png" for number in range(6)]
    assert {parsed.status for parsed in kept.parsed} == {Status.OK}
    assert memory.exists("/far/out/shard-00002-of-00002/_SUCCESS")


def test_a_picture_that_is_not_at_its_url_costs_one_item(tmp_path: Path) -> None:
    """A missing far picture ends as a media error; the rest goes on."""
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/gone/a.png", picture(1))
    memory.pipe_file("/gone/b.png", picture(2))
    place = str(tmp_path / "m.jsonl")
    asking = Asking.about(Question("detect"), MODEL)
    manifest = write_manifest(place, UrlSource("memory://gone"), asking, shards=1)
    memory.rm("/gone/a.png")
    out = str(tmp_path / "out")
    with serving(say_cup) as server:
        terms = Terms(journal=tmp_path / "j.sqlite")
        done = work(manifest, 1, out, endpoint=server.endpoint(), terms=terms)
    assert done.run.statuses == {Status.OK: 1, Status.MEDIA_ERROR: 1}
    kept = Kept()
    merge(manifest, out, kept)
    assert {p.item.sample_id: p.status for p in kept.parsed} == {
        "a.png": Status.MEDIA_ERROR,
        "b.png": Status.OK,
    }


def test_a_merge_into_a_dataset_can_be_repeated(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """Twice merged, the samples and the record of the run are the same."""
    from fiftyone_gemini.labels.known import MatchingSink
    from fiftyone_gemini.labels.samples import ViewSource

    place, out = str(tmp_path / "m.jsonl"), str(tmp_path / "out")
    asking = Asking.about(Question("detect"), MODEL)
    manifest = write_manifest(place, ViewSource(dataset), asking, shards=2)
    with serving(say_cup) as server:
        for shard in (1, 2):
            terms = Terms(journal=tmp_path / "j.sqlite")
            work(manifest, shard, out, endpoint=server.endpoint(), terms=terms)
    states = []
    for _ in range(2):
        merge(manifest, out, MatchingSink(dataset, "gemini"))
        boxes = dataset.values("gemini.detections.bounding_box")
        runs = [dataset.get_run_info(key).config for key in dataset.list_runs()]
        states.append(
            (
                boxes,
                dataset.values("gemini_status"),
                [(run.name, run.started, run.usage) for run in runs],
            )
        )
    assert states[0] == states[1]
    assert states[0][0] == [[[0.0, 0.0, 0.5, 0.5]]] * 4
    assert len(states[0][2]) == 1


def test_labels_of_a_folder_find_the_samples_of_a_dataset(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """Planned from the folder, merged into a dataset of its files; strangers are told."""
    from fiftyone_gemini.labels.known import MatchingSink

    place, out = str(tmp_path / "m.jsonl"), str(tmp_path / "out")
    (tmp_path / "stranger.png").write_bytes(picture(5))
    asking = Asking.about(Question("detect"), MODEL)
    manifest = write_manifest(place, FolderSource(tmp_path), asking, shards=1)
    with serving(say_cup) as server:
        terms = Terms(journal=tmp_path / "j.sqlite")
        work(manifest, 1, out, endpoint=server.endpoint(), terms=terms)
    merge(manifest, out, MatchingSink(dataset, "gemini"))
    assert dataset.values("gemini_status") == ["ok"] * 4
    info = dataset.get_run_info(dataset.list_runs()[0]).config
    assert info.notes == [
        f"1 items are of no sample of {dataset.name}, such as stranger.png."
    ]
    dataset.clear_sample_field("gemini")
    dataset.delete_samples(dataset.values("id")[:])
    with pytest.raises(UsageError, match="Was another dataset planned"):
        merge(manifest, out, MatchingSink(dataset, "other"))


def test_replies_of_shards_fill_a_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`journal import`: later runs anywhere ask nothing that a shard has asked."""
    monkeypatch.chdir(desk.folder)
    with serving(say_cup) as server:
        desk.work_all(server)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        assert (
            "12 replies added" in command("journal", "import", "n.sqlite", "replies")[1]
        )
        assert (
            "0 replies added" in command("journal", "import", "n.sqlite", "replies")[1]
        )
        text = command("label", "pictures", "--journal", "n.sqlite")[1]
        assert "12 replies were in the journal already" in text
        assert len(server.seen) == COUNT
    command("journal", "export", "n.sqlite", "n.jsonl")
    assert "12 replies added" in command("journal", "import", "m.sqlite", "n.jsonl")[1]
    assert "sound" in command("journal", "verify", "m.sqlite")[1]


def test_what_is_no_reply_is_not_imported(tmp_path: Path) -> None:
    """A line that is damaged is named by its number, and a changed body is refused."""
    (tmp_path / "x.jsonl").write_text('\n{"key": "a", "body": "b"}\n')
    with pytest.raises(FormatError, match="line 2"):
        command(
            "journal", "import", str(tmp_path / "j.sqlite"), str(tmp_path / "x.jsonl")
        )


def test_usage_of_the_record_is_what_gemini_counted(desk: Desk) -> None:
    """All shards together: tokens, models and statuses of the run, with its cost."""
    body = good(CUP).replace(b"m-1", MODEL.encode())
    with serving(lambda _: Say(body=body)) as server:
        for shard in (1, 2, 3):
            gemini = Endpoint("gemini", KEY, server.url)
            terms = Terms(journal=desk.folder / "j.sqlite")
            work(desk.manifest, shard, desk.out, endpoint=gemini, terms=terms)
    run = desk.merge().run
    assert run.usage == Usage(prompt=COUNT * 1100, output=COUNT * 20)
    assert run.models_answered == {MODEL: COUNT}
    assert run.endpoint == "gemini"
    assert run.cost_usd == pytest.approx(COUNT * (1100 * 0.75 + 20 * 3.75) / 1e6)
    assert run.started <= run.finished
    text = "".join(f.read_text() for f in Path(desk.out).rglob("*") if f.is_file())
    assert KEY not in text


def test_a_coco_file_of_a_part_keeps_statuses(desk: Desk, tmp_path: Path) -> None:
    """A partial merge into a COCO file holds what is there, with its statuses."""
    with serving([refusal(400, "no"), *[say_cup(0)] * 3]) as server:
        desk.work(3, server)
    file = tmp_path / "part.json"
    merge(desk.manifest, desk.out, CocoSink(file), partial=True)
    document = json.loads(file.read_text())
    assert len(document["images"]) == 4
    assert len(document["annotations"]) == 3
