"""What goes wrong with calls that ask no model: uploads, files, batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.responses import Response

from .breaking import error_of
from .envelopes import CutResponse, html_502
from .faults import Fault, find_fault
from .log import Trace
from .settings import EmulatorError, Settings

CALLS = ("upload", "get-file", "create-batch", "get-batch")
FAULTS = frozenset(
    {
        *(Fault.BUSY, Fault.INTERNAL, Fault.OVERLOADED, Fault.HTML_502),
        Fault.CUT,
    }
)


@dataclass(slots=True)
class CallDesk:
    """Gives each fault of the list once, to the next call of its kind, in order."""

    settings: Settings
    _left: list[tuple[str, Fault]] = field(init=False)

    def __post_init__(self) -> None:
        """Read the list; raise EmulatorError."""
        entries = filter(
            None, (e.strip() for e in self.settings.call_faults.split(","))
        )
        self._left = [_read(entry) for entry in entries]

    async def lead(
        self, call: str, trace: Trace, make: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Make a call, or let it go wrong; raise GoogleError.

        A call that is cut has been made: only its answer is lost.
        """
        fault = next((fault for kind, fault in self._left if kind == call), None)
        if fault is None:
            return await make()
        self._left.remove((call, fault))
        trace.fault = fault
        if fault is Fault.HTML_502:
            return html_502()
        if fault is not Fault.CUT:
            raise error_of(fault, "", self.settings.retry_delay)
        response = await make()
        return CutResponse(bytes(response.body) or b"{}", response.status_code)


def _read(entry: str) -> tuple[str, Fault]:
    """Read `upload:503`; raise EmulatorError."""
    call, _, kind = entry.partition(":")
    fault = find_fault(kind)
    if call not in CALLS or fault not in FAULTS:
        calls, kinds = ", ".join(CALLS), ", ".join(sorted(FAULTS))
        raise EmulatorError(
            f"A fault of a call is one of {calls}, a colon, and one of {kinds}, "
            f"not {entry!r}."
        )
    return call, fault
