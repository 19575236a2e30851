"""A run as others see it while it goes on: progress and a stop flag, beside the dataset.

Whoever labels a dataset (the App, Python, a delegated worker) keeps them in a FiftyOne
execution store, so that the panel shows every run and can stop it, in any process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, cast

import fiftyone as fo
from fiftyone.operators.store import ExecutionStore

from .errors import GeminiLabelError
from .progress import Progress
from .values import Run, Status

State: TypeAlias = Literal["running", "stopping", "done", "stopped", "failed", "lost"]
STORE = "gemini.autolabel.live"
KEPT_SECONDS = 30 * 24 * 3600
BEAT_SECONDS = 1.0
LOST_SECONDS = 20.0
"""A run that gave no sign for so long has died with its process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """How far a run is; `settings` and `view` are what it takes to resume it.

    `seen` is when it last gave a sign, in seconds since 1970. `cost_usd` is None when a
    price is unknown.
    """

    key: str
    settings: Mapping[str, Any]
    view: list[dict[str, Any]] = field(default_factory=list)
    state: State = "running"
    done: int = 0
    total: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    cost_usd: float | None = 0.0
    free: bool = False
    rate: float = 0.0
    seconds_left: float | None = None
    from_journal: int = 0
    error: str = ""
    seen: float = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether it is at work."""
        return self.state in {"running", "stopping"}

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def with_progress(self, now: Progress) -> LiveRun:
        """Give the same run, further on."""
        return replace(
            self,
            done=now.done,
            total=now.total,
            statuses={status.value: count for status, count in now.statuses.items()},
            cost_usd=now.cost_usd,
            rate=now.rate,
            seconds_left=now.seconds_left,
            from_journal=now.from_journal,
        )


class Watched:
    """Keeps the record of a run up to date while it is at work, and hears of a stop.

    To be entered around the run: `report` takes its progress, and `stop` is set when
    somebody asked for it.
    """

    def __init__(
        self, samples: fo.SampleCollection, run: LiveRun, stop: threading.Event
    ) -> None:
        self.stop = stop
        self._store = _store(samples)
        self._run = run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def report(self, now: Progress) -> None:
        """Take note of progress; it is written at the next beat."""
        self._run = self._run.with_progress(now)

    def finish(self, run: Run) -> None:
        """Take note of the end."""
        left = bool(run.statuses.get(Status.SKIPPED))
        state: State = "stopped" if left else "done"
        note = run.notes[-1] if left and run.notes else ""
        statuses = {status.value: count for status, count in run.statuses.items()}
        self._run = replace(self._run, state=state, statuses=statuses, error=note)

    def __enter__(self) -> Self:
        """Begin to be seen."""
        self._save()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write down how it ended."""
        self._over.set()
        self._thread.join()
        if error is not None:
            known = isinstance(error, GeminiLabelError)
            said = str(error) if known else type(error).__name__
            self._run = replace(self._run, state="failed", error=said)
        self._save()
        self._store.delete(_flag(self._run.key))

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            if self._store.get(_flag(self._run.key)):
                self.stop.set()
            self._save()

    def _save(self) -> None:
        run = self._run
        if self.stop.is_set() and run.state == "running":
            run = replace(run, state="stopping")
        document = asdict(replace(run, seen=time.time(), seconds_left=_finite(run)))
        self._store.set(run.key, document, ttl=KEPT_SECONDS)


def live_runs(samples: fo.SampleCollection) -> tuple[LiveRun, ...]:
    """Give all runs of the last 30 days, the newest first."""
    store = _store(samples)
    found = [_read(store.get(key)) for key in store.list_keys() if "#" not in key]
    runs = [run for run in found if run is not None]
    return tuple(sorted(runs, key=lambda run: run.key.split("_")[-3:], reverse=True))


def find_live(samples: fo.SampleCollection, key: str) -> LiveRun | None:
    """Give one run; None when nothing is known of it."""
    return _read(_store(samples).get(key))


def ask_to_stop(samples: fo.SampleCollection, key: str) -> None:
    """Let a run finish what is in flight and stop, wherever it is at work."""
    _store(samples).set(_flag(key), value=True, ttl=KEPT_SECONDS)


def forget(samples: fo.SampleCollection, key: str) -> None:
    """Remove what is known of a run that is over."""
    _store(samples).delete(key)


def _store(samples: fo.SampleCollection) -> ExecutionStore:
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    return ExecutionStore.create(STORE, dataset._doc.id)  # noqa: SLF001 - as FiftyOne


def _flag(key: str) -> str:
    return f"{key}#stop"


def _finite(run: LiveRun) -> float | None:
    return run.seconds_left if run.goes_on else None


def _read(document: object) -> LiveRun | None:
    """Read what a store holds; what another version wrote is left out."""
    if not isinstance(document, dict):
        return None
    try:
        run = LiveRun(**cast("dict[str, Any]", document))
    except TypeError:
        return None
    if run.goes_on and time.time() - run.seen > LOST_SECONDS:
        return replace(run, state="lost", seconds_left=None)
    return run
