"""What the form of `label_samples` says, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import UsageError
from ..gemini.models import DEFAULT_MODEL
from ..values import Question

MAX_IN_FLIGHT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """How samples are labelled; the defaults are those of the form."""

    task: str = "detect"
    classes: tuple[str, ...] = ()
    instruction: str = ""
    confidence: bool = False
    model: str = DEFAULT_MODEL
    field: str = "gemini"
    in_flight: int = 16

    def __post_init__(self) -> None:
        """Refuse one text where a list of names is meant; raises `UsageError`."""
        if isinstance(self.classes, str):
            raise UsageError("classes must be a list of names, not one text.")

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> LabelSettings:
        """Read the form; what it leaves out takes its default."""
        given = {
            name: params[name]
            for name in cls.__dataclass_fields__
            if params.get(name) not in (None, "")
        }
        if "in_flight" in given:
            given["in_flight"] = int(given["in_flight"])
        names = (name.strip() for name in given.pop("classes", ()))
        return cls(classes=tuple(name for name in names if name), **given)

    @property
    def question(self) -> Question:
        """What is asked of every sample."""
        return Question(
            self.task, tuple(self.classes), self.instruction.strip(), self.confidence
        )

    def run_key(self) -> str:
        """Name a run that starts now."""
        return f"{self.field}_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"


DEFAULTS = LabelSettings()
