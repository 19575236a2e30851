"""The record of one labelling run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .asking import Question
from .counts import ObjectCounts
from .plain import JsonValue
from .replies import Usage
from .statuses import Status


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one labelling run; never holds a key.

    `endpoint` is `gemini`, `enterprise` or `emulator`. `cost_usd` is None when the price
    of a model that answered is unknown. `notes` say what was changed on the way.
    """

    name: str
    question: Question
    model: str
    endpoint: str
    prompt: str
    parameters: Mapping[str, JsonValue]
    started: datetime
    finished: datetime | None = None
    models_answered: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[Status, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    usage_by_model: Mapping[str, Usage] = field(default_factory=dict)
    """Like `usage`: what was asked for in this run, by the model that answered."""
    from_journal: int = 0
    cost_usd: float | None = None
    journal: str = ""
    code_version: str = ""
    notes: tuple[str, ...] = ()
    objects: ObjectCounts = field(default_factory=ObjectCounts)
