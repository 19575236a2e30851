"""A second look at an object that is labelled already: is it that, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ..parsing.answers import read_answers
from ..parsing.objects import read_objects
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Answer,
    Ask,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
)
from .task import PICTURES
from .wording import BOX, BOX_SCHEMA, ask_schema, closing

YES, NO = "yes", "no"
_RIGHT = Ask("right", "whether the label is right", (YES, NO))
_SAID = 'The label is "{label}".'


def verifying(instruction: str = "") -> Question:
    """Make the question whether the label of an object, `{label}`, is right."""
    return Question("verify", instruction=f"{_SAID} {instruction}".strip())


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask whether the label of the object in a picture is right, and for a tight box.

    A denied label is no object (`empty`), a confirmed one is a box without a label.
    """

    name: ClassVar[str] = "verify"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.OBJECTS
    uses: ClassVar[frozenset[str]] = frozenset()
    of_regions: ClassVar[bool] = True
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                (
                    "The image is cut out around one object, with some context. Verify "
                    "the label that somebody gave to the object in the middle."
                ),
                (
                    f'Output a JSON object with {_RIGHT.text}, "yes" or "no", in the key '
                    f'"{_RIGHT.name}"; where it is, also {BOX}: as tight as possible '
                    "around the whole object."
                ),
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: yes or no, and perhaps a box."""
        return {
            "type": "object",
            "properties": {_RIGHT.name: ask_schema(_RIGHT), "box_2d": BOX_SCHEMA},
            "required": [_RIGHT.name],
        }

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read the verdict; a confirmed label needs a box to be of use."""
        said = read_answers(text, [_RIGHT])
        verdict = next((v.text for v in said.values if isinstance(v, Answer)), "")
        if verdict == NO:
            return replace(said, values=(), items_seen=0)
        if verdict != YES:
            return said
        found = read_objects(text, media.frame, masks=False)
        boxes = [replace(one, label="") for one in found.detections[:1]]
        issues = [i for i in found.issues if i.code != "label_missing"]
        return replace(found, values=tuple(boxes), issues=tuple(issues))
