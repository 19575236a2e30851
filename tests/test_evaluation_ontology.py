"""What the model says finds the dataset's classes, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.evaluation.names import How
from fiftyone_gemini.evaluation.ontology import (
    Ontology,
    map_labels,
    read_ontology,
    survey_names,
)
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from hypothesis import given
from hypothesis import strategies as st

BOX = Box(0, 0, 10, 10)
FRAME = Frame(20, 20)
ASKED = Ontology({"mug": "cup", "tea cup": "cup"}, {"beagle": "dog", "dog": "animal"})


def said(*labels: str) -> list[ImageLabels]:
    """Make one image with an object of each label."""
    return [ImageLabels("1", "", FRAME, tuple(Detection(n, BOX) for n in labels))]


def outcome(
    label: str, classes: tuple[str, ...], ontology: Ontology = ASKED
) -> tuple[str, str]:
    """Say how one label was understood, and what it is called now."""
    mapped = map_labels(said(label), classes, ontology)
    (use,) = mapped.names.uses
    return use.how.value, mapped.images[0].detections[0].label


@pytest.mark.parametrize(
    ("label", "classes", "how", "meant"),
    [
        pytest.param("cup", ("cup", "Cup"), "exact", "cup", id="exact goes first"),
        pytest.param("CUPS", ("cup",), "folded", "cup", id="case and plural"),
        pytest.param("cup", ("Cups",), "folded", "Cups", id="the truth is plural"),
        pytest.param("traffic_lights", ("Traffic  light",), "folded", "Traffic  light"),
        pytest.param("buses", ("bus",), "folded", "bus", id="buses"),
        pytest.param("horses", ("horse",), "folded", "horse", id="horses"),
        pytest.param("puppies", ("puppy",), "folded", "puppy", id="puppies"),
        pytest.param("young people", ("young person",), "folded", "young person"),
        pytest.param("glass", ("glas",), "unmatched", "glass", id="glass is no plural"),
        pytest.param("CUP", ("cup", "Cup"), "unmatched", "CUP", id="two fit"),
        pytest.param("mug", ("cup",), "synonym", "cup", id="synonym"),
        pytest.param("Tea_Cups", ("Cup",), "synonym", "Cup", id="synonym, folded"),
        pytest.param("mug", ("mug", "cup"), "exact", "mug", id="a class stays"),
        pytest.param("mug", ("bowl",), "unmatched", "mug", id="synonym of nothing"),
        pytest.param("beagle", ("dog", "animal"), "parent", "dog", id="nearest"),
        pytest.param("Beagles", ("animal",), "parent", "animal", id="two steps up"),
        pytest.param("animal", ("dog",), "unmatched", "animal", id="never down"),
        pytest.param("cupp", ("cup",), "unmatched", "cupp", id="no fuzzy unasked"),
    ],
)
def test_a_label_finds_its_class(
    label: str, classes: tuple[str, ...], how: str, meant: str
) -> None:
    """Exact, then folded, then synonym, then parent; what finds none stays."""
    assert outcome(label, classes) == (how, meant)


def test_fuzzy_needs_the_likeness_asked_for() -> None:
    """`keybord` and `keyboard` share 14 of 15 letters: 0.933; a tie decides nothing."""
    classes = ("keyboard", "mouse")
    assert outcome("keybord", classes, Ontology(fuzzy=0.93)) == ("fuzzy", "keyboard")
    assert outcome("keybord", classes, Ontology(fuzzy=0.94))[0] == "unmatched"
    assert outcome("cat", ("bat", "rat"), Ontology(fuzzy=0.5))[0] == "unmatched"
    for share in (0, 1.01, -1):
        with pytest.raises(UsageError, match="at most 1"):
            Ontology(fuzzy=share)


def test_names_are_counted_the_most_frequent_first() -> None:
    """Each label is listed once with its count; unmatched ones mean nothing."""
    mapped = map_labels(said("mug", "ufo", "ufo", "cup", "Cups"), ["cup"], ASKED)
    assert [(u.said, u.meant, u.count) for u in mapped.names.uses] == [
        ("ufo", None, 2),
        ("Cups", "cup", 1),
        ("cup", "cup", 1),
        ("mug", "cup", 1),
    ]
    assert mapped.names.count(How.UNMATCHED) == 2
    assert [d.label for d in mapped.images[0].detections] == [
        *("cup", "ufo", "ufo", "cup", "cup")
    ]
    assert list(mapped.names.remarks()) == [
        (
            "Labels were matched to the classes of the truth: "
            "1 exact, 1 folded, 1 synonym, 2 unmatched."
        ),
        "2 predictions named as no class of the truth: 'ufo' (2).",
    ]


def test_a_survey_renames_nothing_but_hints() -> None:
    """Without being asked to fold, it is only said what folding would do."""
    names = survey_names(said(*["Cups"] * 12, "cup"), ["cup"])
    assert not names.applied
    (hint,) = names.remarks()
    assert hint == (
        "12 predictions named 'Cups', which the truth calls 'cup': "
        "use --fold to count them as the same."
    )
    assert not list(survey_names(said("cup"), ["cup"]).remarks())


def test_remarks_stay_short() -> None:
    """Of very many names, thirty are spelled out and the rest is counted."""
    strangers = survey_names(said(*(f"thing {n:02}" for n in range(40))), ["cup"])
    (remark,) = strangers.remarks()
    assert remark.startswith(
        "40 predictions named as no class of the truth: 'thing 00'"
    )
    assert remark.endswith("'thing 29' (1), 10 more names.")
    classes = [f"class {n}" for n in range(32)]
    hints = list(survey_names(said(*map(str.upper, classes)), classes).remarks())
    assert len(hints) == 31
    assert hints[-1] == "2 more names differ only in spelling."


@given(st.lists(st.text(max_size=8), max_size=6), st.sets(st.text(max_size=8)))
def test_nothing_is_dropped(labels: list[str], classes: set[str]) -> None:
    """Every object stays, in its place, under a class or under its own name."""
    mapped = map_labels(said(*labels), classes, Ontology(fuzzy=0.6))
    now = [d.label for d in mapped.images[0].detections]
    assert len(now) == len(labels)
    assert all(b in classes or b == a for a, b in zip(labels, now, strict=True))
    assert sum(use.count for use in mapped.names.uses) == len(labels)


def write(folder: Path, text: str) -> Path:
    """Write an ontology file."""
    path = folder / "names.yaml"
    path.write_text(text)
    return path


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Words stay words, also `no` and `2`; an empty file is an empty ontology."""
    path = write(
        tmp_path, "synonyms:\n  cup: [mug, no, 2]\nparents:\n  animal: [dog]\n"
    )
    read = read_ontology(path, fuzzy=0.9)
    assert read == Ontology(
        {"mug": "cup", "no": "cup", "2": "cup"}, {"dog": "animal"}, 0.9
    )
    assert read_ontology(write(tmp_path, "# nothing\n")) == Ontology()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("cup: [mug]", "line 1: 'cup' is not one of", id="no section"),
        pytest.param("- a", "line 1: the file must be names", id="a list"),
        pytest.param("synonyms: 3", "line 1: 'synonyms' must be names", id="number"),
        pytest.param(
            "synonyms:\n  cup: mug", "line 2: 'cup' must have a list", id="word"
        ),
        pytest.param("synonyms:\n  cup: [[a]]", "line 2: 'cup' must", id="nested"),
        pytest.param("synonyms:\n  cup: ['']", "line 2: 'cup' must", id="empty"),
        pytest.param("synonyms:\n  [a]: [b]", "line 2: a name in", id="odd key"),
        pytest.param(
            "synonyms:\n  a: [x]\n  b: [x]", "line 3: 'x' stands under", id="2"
        ),
        pytest.param(
            "parents:\n  a: [b]\n  b: [a]", "among its own parents", id="circle"
        ),
        pytest.param("synonyms: {", "line 1: ", id="no YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(
    tmp_path: Path, text: str, problem: str
) -> None:
    """The line and the key are told."""
    with pytest.raises(FormatError, match=problem):
        read_ontology(write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file, and one that is no text, are format errors too."""
    with pytest.raises(FormatError, match="cannot be read"):
        read_ontology(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(FormatError, match=r"bytes\.yaml cannot be read"):
        read_ontology(tmp_path / "bytes.yaml")
