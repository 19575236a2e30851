"""What an endpoint refused, and what is asked instead: each step is taken once in a run.

`retry` passes every request through `shape` before it is sent. Only optional fields are
ever left out, never what is asked: words, pictures, the clip of a video, the system
instruction, and the output limit, which bounds what is paid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..values import Request
from .encode import JSON_SCHEMA, MODEL_DEFAULT, OPENAPI_SCHEMA, thinking_of
from .failures import Cause, Next
from .models import facts

_UNKNOWN = re.compile(r'Unknown name "(\w+)"')
_OPTIONAL = {
    "mediaresolution": "media_resolution",
    "thinkingconfig": "thinking",
    "thinkinglevel": "thinking",
    "thinkingbudget": "thinking",
    "store": "store",
    "temperature": "temperature",
    "responsemimetype": "response_mime_type",
    "responsejsonschema": JSON_SCHEMA,
    "responseschema": OPENAPI_SCHEMA,
}
"""The fields that may be left out, by the names that a 400 calls them, in small letters
without `_`; and by the names under which `encode` leaves them out."""
_SCHEMA = frozenset({JSON_SCHEMA, OPENAPI_SCHEMA})
_INSTEAD = {
    JSON_SCHEMA: "response_schema was sent instead of it",
    OPENAPI_SCHEMA: "the prompt alone asked for the form of the answer",
    "response_mime_type": "the prompt alone asked for JSON",
    "media_resolution": "the model chose how closely it looks",
    "thinking": "the model chose how long it thinks",
}


@dataclass(slots=True)
class Stepping:
    """The steps of one run; `note` is told of each."""

    note: Callable[[str], None]
    _thinking: dict[tuple[str, str], str] = field(default_factory=dict)
    """By the model and the setting that it refused."""
    _without: dict[str, frozenset[str]] = field(default_factory=dict)
    """What each model is asked without."""

    def shape(self, request: Request) -> Request:
        """Leave out what was refused before in this run."""
        without = self._without.get(request.model)
        if without:
            request = replace(request, without=without)
        better = self._thinking.get((request.model, thinking_of(request)))
        if better is None:
            return request
        return replace(request, parameters=replace(request.parameters, thinking=better))

    def step(self, step: Next, cause: Cause, request: Request, asked: Request) -> bool:
        """Change what is asked after a refusal; False when there is nothing to change.

        `asked` is the request as it was sent: another one may have taken the step while
        it was on its way.
        """
        if step is Next.STEP_UP:
            return self._step_up(request, asked)
        if step is Next.DROP_SCHEMA:
            return self._drop_schema(asked)
        if step is Next.DROP_FIELD:
            return self._leave_out(unknown_fields(cause), asked)
        return False

    def _leave_out(self, fields: frozenset[str], asked: Request) -> bool:
        """Ask without some fields from here on; False when that was done already."""
        if not fields or fields <= asked.without:
            return False
        known = self._without.get(asked.model, frozenset())
        self._without[asked.model] = known | fields
        for name in sorted(fields - known):
            instead = f", and {_INSTEAD[name]}" if name in _INSTEAD else ""
            self.note(
                f"{asked.model} does not know the field {name}; it was left out from "
                f"then on{instead}."
            )
        return True

    def _drop_schema(self, asked: Request) -> bool:
        """Ask without a schema from here on; False when that was done already."""
        if asked.schema is None or asked.without >= _SCHEMA:
            return False
        known = self._without.get(asked.model, frozenset())
        if not known >= _SCHEMA:
            self._without[asked.model] = known | _SCHEMA
            self.note(
                f"{asked.model} refused the response schema; it was left out from then "
                "on, and the prompt alone asked for the form of the answer."
            )
        return True

    def _step_up(self, request: Request, asked: Request) -> bool:
        """Choose the next thinking setting; False when that was done already."""
        refused = (request.model, thinking_of(request))
        if refused in self._thinking:
            # Another request may have found it while this one was on its way.
            return thinking_of(asked) != self._thinking[refused]
        settings = facts(request.model).thinking
        later = (
            settings[settings.index(refused[1]) + 1 :] if refused[1] in settings else ()
        )
        self._thinking[refused] = next(iter(later), MODEL_DEFAULT)
        self.note(
            f"{refused[0]} refused the thinking setting {refused[1]}; "
            f"{self._thinking[refused]} was used from then on."
        )
        return True


def unknown_fields(cause: Cause) -> frozenset[str]:
    """Name the optional fields that a 400 does not know.

    Empty when one of the fields that it complains of may not be left out.
    """
    names = [name.replace("_", "").lower() for name in _UNKNOWN.findall(cause.message)]
    if not all(name in _OPTIONAL for name in names):
        return frozenset()
    return frozenset(_OPTIONAL[name] for name in names)
