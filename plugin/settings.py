"""How samples are labelled, as one plain value: what a form, a call or a record says.

It stands before `pipeline`: question, manner, limits and reuse are made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from .asking import Manner
from .errors import UsageError
from .gemini.budget import Budget
from .gemini.limits import Limits
from .gemini.models import DEFAULT_MODEL
from .gemini.stored import Reuse
from .gemini.upload_rule import Upload
from .rerun import failing, read_statuses
from .tasks import form_of
from .values import Ask, Form, JsonValue, Parameters, Question

MAX_IN_FLIGHT = 64
_ASK = re.compile(r"\s*(\w+)\s*(?::\s*(.*?))?\s*(?:\[([^\[\]]*)\])?\s*", re.DOTALL)


class Choices(TypedDict, total=False):
    """What may be chosen for a run; `LabelSettings` says what each is, and its default."""

    task: str
    classes: tuple[str, ...] | list[str]
    instruction: str
    system: str
    asks: tuple[str, ...] | list[str]
    attributes: tuple[str, ...] | list[str]
    confidence: bool
    model: str
    field: str
    budget: float | None
    in_flight: int
    rpm: int | None
    tpm: int | None
    max_side: int | None
    thinking: str
    media_resolution: str
    max_output_tokens: int | None
    upload: str
    temperature: float | None
    times: int
    tile: int | None
    examples: str
    examples_tag: str
    retry: str
    offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """How samples are labelled; the defaults are those of the form.

    `asks` and `attributes` are lines such as `colour: What colour is it? [red | blue]`;
    only the name is needed. `budget` is in US dollars. `examples` is a field whose labels
    on the samples tagged `examples_tag` are shown before every question. `retry` asks again where the
    stored reply was so (`failed`, or statuses with commas between); `offline` reads the
    journal alone. Raises `UsageError` for what is not of its type or contradicts itself.
    """

    task: str = "detect"
    classes: tuple[str, ...] = ()
    instruction: str = ""
    system: str = ""
    asks: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    confidence: bool = False
    model: str = DEFAULT_MODEL
    field: str = "gemini"
    budget: float | None = None
    in_flight: int = 16
    rpm: int | None = None
    tpm: int | None = None
    max_side: int | None = None
    thinking: str = ""
    media_resolution: str = ""
    max_output_tokens: int | None = None
    upload: str = Upload.AUTO
    temperature: float | None = None
    times: int = 1
    tile: int | None = None
    examples: str = ""
    examples_tag: str = "example"
    retry: str = ""
    offline: bool = False

    def __post_init__(self) -> None:
        """Bring every value to its type; raises `UsageError`."""
        for name, into in _TYPES.items():
            object.__setattr__(self, name, into(name, getattr(self, name)))
        if self.upload not in set(Upload):
            known = ", ".join(Upload)
            raise UsageError(f"upload must be one of {known}, not {self.upload!r}.")
        if self.retry and self.offline:
            raise UsageError("retry asks again and offline asks nobody: choose one.")

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> LabelSettings:
        """Read a form; what it leaves out or leaves empty takes its default."""
        given = {
            name: params[name]
            for name in cls.__dataclass_fields__
            if params.get(name) not in (None, "")
        }
        return cls(**given)

    def record(self) -> dict[str, JsonValue]:
        """Give what differs from the defaults, for `from_params`."""
        found: dict[str, JsonValue] = {}
        for name, value in asdict(self).items():
            if value != getattr(DEFAULTS, name):
                found[name] = list(value) if isinstance(value, tuple) else value
        return found

    @property
    def question(self) -> Question:
        """What is asked of every sample."""
        return Question(
            self.task,
            self.classes,
            self.instruction,
            self.confidence,
            attributes=read_asks(self.attributes, "attributes"),
            asks=read_asks(self.asks, "asks"),
            system=self.system,
        )

    @property
    def form(self) -> Form:
        """What the answers are kept as; raises `UsageError` (see `tasks.form_of`)."""
        return form_of(self.question)

    @property
    def manner(self) -> Manner:
        """How the question is put."""
        parameters = Parameters(
            temperature=self.temperature,
            thinking=self.thinking or None,
            media_resolution=self.media_resolution or None,
            max_output_tokens=self.max_output_tokens,
        )
        return Manner(
            parameters,
            max_side=self.max_side,
            times=self.times,
            tile=self.tile,
            upload=Upload(self.upload),
        )

    @property
    def limits(self) -> Limits:
        """How hard is asked, and how much may be paid."""
        return Limits(
            in_flight=self.in_flight,
            requests_per_minute=self.rpm,
            tokens_per_minute=self.tpm,
            budget=None if self.budget is None else Budget(self.budget),
        )

    @property
    def reuse(self) -> Reuse:
        """What becomes of replies in the journal."""
        again = read_statuses(self.retry) if self.retry else None
        stale = failing(self.question, again) if again else None
        return Reuse(stale, nothing_else=self.offline)

    def run_key(self) -> str:
        """Name a run that starts now."""
        return f"{self.field}_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"


def read_asks(texts: Sequence[str], option: str) -> tuple[Ask, ...]:
    """Read `name`, `name: words`, each with `[a|b]` behind it; raises `UsageError`."""
    return tuple(_read_ask(text, option) for text in texts)


def _read_ask(text: str, option: str) -> Ask:
    found = _ASK.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} cannot be read; write {option} 'name: question', with the only "
            "answers allowed in brackets if there are any: 'light: Is it day? [day|night]'."
        )
    choices = (choice.strip() for choice in (found[3] or "").split("|"))
    return Ask(found[1], found[2] or "", tuple(c for c in choices if c))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text, not {value!r}.")
    return value.strip()


def _names(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set):
        raise UsageError(f"{name} must be a list of names, not {value!r}.")
    return tuple(filter(None, (_text(f"each of {name}", entry) for entry in value)))


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false, not {value!r}.")
    return value


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError(f"{name} must be a number, not {value!r}.")
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"{name} must be a number, not {value!r}.") from None


def _whole(name: str, value: object) -> int | None:
    number = _number(name, value)
    if number is None:
        return None
    if not number.is_integer() or number < 1:
        raise UsageError(f"{name} must be a whole number above 0, not {value!r}.")
    return int(number)


def _needed(name: str, value: object) -> int:
    whole = _whole(name, value)
    if whole is None:
        raise UsageError(f"{name} must be a whole number above 0.")
    return whole


_TYPES: Mapping[str, Callable[[str, object], object]] = {
    **dict.fromkeys(("task", "instruction", "system", "model", "field"), _text),
    **dict.fromkeys(("thinking", "media_resolution", "retry", "upload"), _text),
    **dict.fromkeys(("examples", "examples_tag"), _text),
    **dict.fromkeys(("classes", "asks", "attributes"), _names),
    **dict.fromkeys(("confidence", "offline"), _switch),
    **dict.fromkeys(("budget", "temperature"), _number),
    **dict.fromkeys(("rpm", "tpm", "max_side", "max_output_tokens", "tile"), _whole),
    **dict.fromkeys(("in_flight", "times"), _needed),
}
DEFAULTS = LabelSettings()
