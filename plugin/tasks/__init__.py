"""WHAT to ask: one file a task (prompt, response schema, reader).

A task of this project is a file and its line in `_BUILT_IN`. A task of your own is
anything that fulfils `Task`, made known by `register`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from types import MappingProxyType

from ..errors import UsageError
from ..parsing.medium import heed_medium
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import Form, Kind, Media, Medium, Question, Reading
from .box3d import Box3dTask
from .caption import Caption
from .classify import Classify, TagAll
from .compare import Compare
from .detect import Detect
from .events import Events
from .names import check_names
from .ocr import Ocr, ReadText
from .point import PathTask, PointTask
from .segment import Segment
from .task import Naming, Regional, Several, Showing, Task, Together
from .track import Track
from .transcript import Transcript
from .verify import Verify, verifying
from .vqa import Vqa

__all__ = [
    "TASKS",
    "Naming",
    "Regional",
    "Several",
    "Showing",
    "Task",
    "Together",
    "find_task",
    "fitted",
    "form_of",
    "reading_of",
    "register",
    "verifying",
]

_BUILT_IN: tuple[Task, ...] = (
    *(Detect(), Segment(), Verify(), PointTask(), PathTask(), Box3dTask()),
    *(Classify(), TagAll(), Caption(), Vqa(), Ocr(), ReadText(), Compare()),
    *(Events(), Transcript(), Track()),
)
_PARTS = ("name", "about", "kind", "uses", "prompt", "schema", "read")
_OPTIONAL = {
    *("classes", "confidence", "attributes", "asks", "fov_degrees", "by_frames"),
}
_NAMED = {Kind.TEXT, Kind.SPANS}
_known: dict[str, Task] = {task.name: task for task in _BUILT_IN}
TASKS: Mapping[str, Task] = MappingProxyType(_known)
"""All tasks by name, those that were registered too."""


def register(task: Task) -> None:
    """Make a task known under its name, for this process and this import of the package.

    Registering again under the same name replaces it; raises `UsageError` for the name
    of a task that is built in, and for what lacks a part of a task.
    """
    missing = [part for part in _PARTS if not hasattr(task, part)]
    if missing:
        raise UsageError(f"{task!r} is no task: it lacks {', '.join(missing)}.")
    if any(task.name == built_in.name for built_in in _BUILT_IN):
        raise UsageError(f"There is a task {task.name!r} already; take another name.")
    _known[task.name] = task


def find_task(name: str, rules: ReadRules = DEFAULT_RULES) -> Task:
    """Find a task by its name, to read by `rules`; raises UsageError with the names."""
    if name not in _known:
        raise UsageError(f"there is no task {name!r}; there are: {', '.join(_known)}")
    task = _known[name]
    if rules != DEFAULT_RULES and is_dataclass(task) and hasattr(task, "reading"):
        return replace(task, reading=rules)
    return task


def form_of(question: Question) -> Form:
    """Say what the answers to a question are kept as: what a sink is made for.

    Raises `UsageError` for a task that does not exist, for what it does not heed, and
    for names of asks or attributes that cannot be the names of fields.
    """
    task = find_task(question.task)
    _check_uses(task, question)
    attributes = check_names(question.attributes, "attribute")
    names = task.names(question) if isinstance(task, Naming) else ("",)
    check_names(question.asks, "question")
    return Form(task.kind, names if task.kind in _NAMED else ("",), attributes)


def fitted(question: Question, medium: Medium | None = None) -> Question:
    """Say in a question what it is about: `medium`, or what its task leaves no choice of.

    Raises `UsageError` for a task that cannot be about that.
    """
    task = find_task(question.task)
    meant = medium or question.medium
    if meant is Medium.VIDEO and meant not in task.about:
        able = [name for name, t in _known.items() if Medium.VIDEO in t.about]
        raise UsageError(
            f"The task {task.name} is about pictures. For videos there are: "
            f"{', '.join(able)}."
        )
    if medium is Medium.IMAGE and medium not in task.about:
        raise UsageError(
            f"The task {task.name} is about videos, and these samples are pictures."
        )
    return replace(question, medium=meant if meant in task.about else Medium.VIDEO)


def reading_of(task: Task, text: str, question: Question, media: Media) -> Reading:
    """Read a reply, and say where it speaks of something else than what was sent."""
    return heed_medium(task.read(text, question, media), media)


def _check_uses(task: Task, question: Question) -> None:
    """Refuse what a task would ignore."""
    plain = Question(question.task)
    for field in sorted(_OPTIONAL - task.uses):
        if getattr(question, field) != getattr(plain, field):
            raise UsageError(
                f"The task {task.name} makes no use of {field}; leave it out, or say "
                "what you mean in the instruction."
            )
