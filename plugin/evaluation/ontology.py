"""What the model says -> the classes of the dataset; nothing is dropped on the way.

labels, classes, Ontology --map_labels--> Mapped (labels renamed, and how each one was)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from ..errors import FormatError, UsageError
from ..values import (
    Box3d,
    Detection,
    ImageLabels,
    Point,
    Span,
    Tag,
    Trajectory,
)
from .names import How, Names, NameUse
from .words import alike, closest

LABELLED = (Detection, Point, Trajectory, Box3d, Tag, Span)
SECTIONS = ("synonyms", "parents")


@dataclass(frozen=True, slots=True)
class Ontology:
    """Which words mean which class, beyond spelling.

    `synonyms` lead from a word to its class, `parents` from a narrower name to a wider
    one. `fuzzy`: how alike spellings must be (0..1, see `words.closest`); None: never.
    """

    synonyms: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    fuzzy: float | None = None

    def __post_init__(self) -> None:
        """Raise UsageError when `fuzzy` is no share."""
        if self.fuzzy is not None and not 0 < self.fuzzy <= 1:
            raise UsageError(
                f"The likeness asked for must be above 0 and at most 1, not {self.fuzzy}."
            )


@dataclass(frozen=True, slots=True)
class Mapped:
    """Labels under the names of the dataset, in their old order, and how they got them."""

    images: tuple[ImageLabels, ...]
    names: Names


def labels_of(image: ImageLabels) -> Iterator[str]:
    """Give the label of each value that has one."""
    return (value.label for value in image.values if isinstance(value, LABELLED))


def map_labels(
    predicted: Sequence[ImageLabels], classes: Iterable[str], ontology: Ontology
) -> Mapped:
    """Give each label the class it means: the first of these ways that finds one.

    As it is; but for case, spacing or plural; by a synonym; by climbing to a wider
    name; by likeness of spelling, where asked for. A label that finds no class, or two
    equally good ones, is kept as it is and listed as unmatched.
    """
    known = tuple(sorted(set(classes)))
    counts = Counter(label for image in predicted for label in labels_of(image))
    found = {label: _find(label, known, ontology) for label in counts}
    images = tuple(_rename(image, found) for image in predicted)
    return Mapped(images, Names(_uses(counts, found), applied=True))


def survey_names(predicted: Sequence[ImageLabels], classes: Iterable[str]) -> Names:
    """Say what folding case, spacing and plurals would do, without doing it."""
    return replace(map_labels(predicted, classes, Ontology()).names, applied=False)


def read_ontology(path: Path, *, fuzzy: float | None = None) -> Ontology:
    """Read a YAML file of `synonyms` and `parents`, each a name with a list of words.

    Raises FormatError with the line and the key of what is wrong: another section, a
    value that is no list of words, a word listed under two names, a circle of parents.
    """
    try:
        root = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise FormatError(f"{path}{line}: {problem}.") from None
    return Ontology(*_sections(path, root), fuzzy)


def _find(label: str, classes: Sequence[str], ontology: Ontology) -> tuple[How, str]:
    """Find the class of one label, and say how."""
    if label in classes:
        return How.EXACT, label
    if folded := alike(label, classes):
        return How.FOLDED, folded
    name = _look_up(label, ontology.synonyms) or label
    if name != label and (known := _class(name, classes)):
        return How.SYNONYM, known
    for wider in _climb(name, ontology.parents):
        if known := _class(wider, classes):
            return How.PARENT, known
    if ontology.fuzzy is not None and (near := closest(label, classes, ontology.fuzzy)):
        return How.FUZZY, near
    return How.UNMATCHED, label


def _class(name: str, classes: Sequence[str]) -> str | None:
    return name if name in classes else alike(name, classes)


def _look_up(word: str, table: Mapping[str, str]) -> str | None:
    """Find the entry of a word, spelled as it is or nearly so."""
    key = word if word in table else alike(word, table)
    return None if key is None else table[key]


def _climb(name: str, parents: Mapping[str, str]) -> Iterator[str]:
    """Give ever wider names; a circle ends where it closes."""
    seen = {name}
    wider = _look_up(name, parents)
    while wider is not None and wider not in seen:
        yield wider
        seen.add(wider)
        wider = _look_up(wider, parents)


def _rename(image: ImageLabels, found: Mapping[str, tuple[How, str]]) -> ImageLabels:
    renamed = tuple(
        replace(value, label=found[value.label][1])
        if isinstance(value, LABELLED) and found[value.label][1] != value.label
        else value
        for value in image.values
    )
    return replace(image, values=renamed)


def _uses(
    counts: Mapping[str, int], found: Mapping[str, tuple[How, str]]
) -> tuple[NameUse, ...]:
    """List the names, the most frequent first."""
    uses = [
        NameUse(label, None if how is How.UNMATCHED else meant, how, counts[label])
        for label, (how, meant) in found.items()
    ]
    return tuple(sorted(uses, key=lambda use: (-use.count, use.said)))


def _sections(
    path: Path, root: yaml.Node | None
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read both sections of a file; a missing one is empty."""
    tables: dict[str, dict[str, str]] = {name: {} for name in SECTIONS}
    if root is None:
        return tables["synonyms"], tables["parents"]
    for key, value in _entries(path, root, "the file"):
        if key.value not in SECTIONS:
            raise _wrong(path, key, f"{key.value!r} is not one of {SECTIONS}")
        table = tables[key.value]
        for name, words in _entries(path, value, f"{key.value!r}"):
            _add_words(path, table, name, words)
    _check_circles(path, tables["parents"])
    return tables["synonyms"], tables["parents"]


def _entries(
    path: Path, node: yaml.Node, what: str
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Walk a mapping: names are taken as they are written (`no` is a word here)."""
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, f"{what} must be names with lists of words")
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key, f"a name in {what} must be one word or phrase")
        yield key, value


def _add_words(
    path: Path, table: dict[str, str], name: yaml.ScalarNode, words: yaml.Node
) -> None:
    if not isinstance(words, yaml.SequenceNode):
        raise _wrong(path, words, f"{name.value!r} must have a list of words")
    for word in words.value:
        if not isinstance(word, yaml.ScalarNode) or not word.value.strip():
            raise _wrong(path, word, f"{name.value!r} must have a list of words")
        if table.setdefault(word.value, name.value) != name.value:
            other = table[word.value]
            raise _wrong(
                path,
                word,
                f"{word.value!r} stands under {other!r} and under {name.value!r}",
            )


def _check_circles(path: Path, parents: Mapping[str, str]) -> None:
    for name in parents:
        *_, top = name, *_climb(name, parents)
        if _look_up(top, parents) is not None:
            raise FormatError(f"{path}: {name!r} is among its own parents.")


def _wrong(path: Path, node: yaml.Node, problem: str) -> FormatError:
    return FormatError(f"{path}, line {node.start_mark.line + 1}: {problem}.")
