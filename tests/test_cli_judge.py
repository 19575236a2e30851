"""`evaluate` and `report` on two COCO files, with names matched when asked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.write import Category, write_coco
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from typer.testing import CliRunner, Result

FRAME = Frame(100, 40)
HINT = "2 predictions named 'Cups', which the truth calls 'cup': use --fold"


def image(*names: str) -> ImageLabels:
    """Make one image whose objects stand in a row."""
    found = (
        Detection(name, Box(20 * n, 0, 10, 10), id=str(n))
        for n, name in enumerate(names)
    )
    return ImageLabels("1", "1.jpg", FRAME, tuple(found))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Give a truth of two cups and a dog, and labels `Cups`, `Cups`, `hound`."""
    truth, labels = tmp_path / "truth.json", tmp_path / "labels.json"
    classes = [Category(1, "cup"), Category(2, "dog"), Category(3, "owl")]
    write_coco(truth, [image("cup", "cup", "dog")], classes)
    write_coco(labels, [image("Cups", "Cups", "hound")])
    return truth, labels


def run(*arguments: str | Path) -> Result:
    """Run the command line; errors come out as exceptions of the result."""
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_names_that_differ_in_spelling_are_hinted_at(files: tuple[Path, Path]) -> None:
    """Nothing is renamed unasked: recall 0 by name, 1 by any name, and a hint."""
    result = run("evaluate", *files)
    assert result.exit_code == 0
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "boxes 0.000 0.000 0.000 0.000 0.000 0.000" in rows
    assert any(row.startswith("boxes, any name 1.000 1.000") for row in rows)
    assert HINT in result.stdout
    assert "1 prediction named as no class of the truth: 'hound' (1)" in result.stdout
    assert "wrong class 3 1.000" in rows


def test_folding_and_synonyms_match_names(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    """Folded, both cups are right; with a synonym the dog is, too."""
    folded = run("evaluate", *files, "--fold")
    assert "2 folded, 1 unmatched" in folded.stdout
    names = tmp_path / "names.yaml"
    names.write_text("synonyms:\n  dog: [hound]\n")
    matched = run("evaluate", *files, "--ontology", names)
    assert "2 folded, 1 synonym." in matched.stdout
    assert "no class of the truth" not in matched.stdout


def test_fuzzy_matching_asks_for_a_likeness(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    """`hound` finds no class at 0.85; a wrong share or file stops the command."""
    assert "1 unmatched" in run("evaluate", *files, "--fuzzy", "0.85").stdout
    assert run("evaluate", *files, "--fuzzy", "2").exit_code != 0
    names = tmp_path / "names.yaml"
    names.write_text("synonyms: [dog]")
    result = run("evaluate", *files, "--ontology", names)
    assert isinstance(result.exception, FormatError)
    assert "line 1" in str(result.exception)


def test_names_in_the_report_stay_texts(tmp_path: Path) -> None:
    """Markup in a name that a model made up is shown, not obeyed."""
    nasty = "<script>alert(1)</script>"
    truth, labels = tmp_path / "truth.json", tmp_path / "labels.json"
    write_coco(truth, [image("cup")])
    write_coco(labels, [image(nasty, "../../x")])
    run("report", truth, labels, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in (tmp_path / "out" / "report.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("labels.json", "out", "truth.json")
    ]


def test_the_report_lists_the_names(files: tuple[Path, Path], tmp_path: Path) -> None:
    """All three forms say which names fit no class, and what seeing alone is worth."""
    assert run("report", *files, "--out", tmp_path / "out").exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text()
    markdown = (tmp_path / "out" / "report.md").read_text()
    for text in (page, markdown):
        assert "Naming or seeing" in text
        assert "What goes wrong" in text
        assert "hound" in text
        assert "--fold" in text
    scores = json.loads((tmp_path / "out" / "report.json").read_text())
    scores = scores["sections"][0]["scores"]
    assert scores["any_class"]["boxes"]["counts"]["tp"] == 3
    assert not scores["names"]["applied"]
    kinds = {kind["kind"]: kind["count"] for kind in scores["anatomy"]["kinds"]}
    assert kinds["wrong class"] == 3
    use = {"said": "Cups", "meant": "cup", "how": "folded", "count": 2}
    assert scores["names"]["uses"][0] == use


def test_labels_of_a_folder_find_their_truth_by_file_name(tmp_path: Path) -> None:
    """`label photos/` names samples by file, COCO by number: both are one picture."""
    truth, labels = tmp_path / "truth.json", tmp_path / "labels.json"
    true, said = image("cup"), image("cup")
    true = [replace(true, image_id=str(n), path=f"{n}/a.jpg") for n in (7, 8)]
    said = [replace(said, image_id=f"{n}/a.jpg", path=f"x/{n}/a.jpg") for n in (8, 7)]
    write_coco(truth, true)
    write_coco(labels, [*said, replace(said[0], image_id="z.jpg", path="x/z.jpg")])
    other = shutil.copy(labels, tmp_path / "other.json")
    for command in (["evaluate", truth, labels], ["compare", truth, labels, other]):
        result = run(*command)
        assert "1.000" in result.stdout, command
    assert "images: 2 ok" in run("evaluate", truth, labels).stdout


def test_labels_of_other_pictures_are_not_judged(tmp_path: Path) -> None:
    """Where no picture is in both, there are no numbers, but a sentence."""
    truth, labels = tmp_path / "truth.json", tmp_path / "labels.json"
    write_coco(truth, [image("cup")])
    write_coco(labels, [replace(image("cup"), image_id="b.jpg", path="b.jpg")])
    result = run("evaluate", truth, labels)
    assert isinstance(result.exception, UsageError)
    assert "None of the 1 pictures of labels.json" in str(result.exception)
