"""Samples are labelled, and a run is foreseen or resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

import fiftyone as fo

from ..asking import Manner
from ..environment import find_endpoint, journal_path
from ..errors import UsageError
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..gemini.plan import Plan
from ..labels.examples import examples_of
from ..labels.samples import ViewSource
from ..labels.write import FieldSink
from ..live import LiveRun, Watched, find_live
from ..pipeline import label as label_source
from ..planning import plan_run, stored_in
from ..progress import Progress
from ..settings import Choices, LabelSettings
from ..values import Run
from .bar import progress_bar

Report = Callable[[Progress], None]


def label(
    samples: fo.SampleCollection,
    *,
    endpoint: Endpoint | None = None,
    journal: Path | None = None,
    progress: bool = True,
    on_progress: Report | None = None,
    stop: threading.Event | None = None,
    **choices: Unpack[Choices],
) -> Run:
    """Label the samples of a dataset or view; `choices` are those of `LabelSettings`.

    Without `endpoint` and `journal` those of the environment are used. The same call
    resumes; setting `stop`, or the panel's button, finishes what is in flight and stops.
    Raises `UsageError` before anything is asked, `MissingKeyError` without a key, and
    `FatalApiError` when asking on cannot help.
    """
    settings = _settings(choices)
    found = endpoint or find_endpoint(offline=settings.offline)
    with progress_bar(settings.task, shown=progress and on_progress is None) as bar:
        report = on_progress or bar
        return run_labels(
            samples, settings, found, report=report, stop=stop, journal=journal
        )


def _settings(choices: Choices) -> LabelSettings:
    return LabelSettings(**cast("dict[str, Any]", choices))


def run_labels(
    samples: fo.SampleCollection,
    settings: LabelSettings,
    endpoint: Endpoint,
    *,
    report: Report | None = None,
    stop: threading.Event | None = None,
    journal: Path | None = None,
    key: str = "",
) -> Run:
    """Label samples as one value says, seen by the panel all the while."""
    key = key or settings.run_key()
    source, sink = ViewSource(samples), _sink(samples, settings, key)
    live = LiveRun(
        key=key,
        settings=settings.record(),
        view=samples.view()._serialize(),  # noqa: SLF001 - no public twin
        total=len(source) * settings.times,
        free=endpoint.kind == "emulator" or settings.offline,
    )
    with Watched(samples, live, stop or threading.Event()) as watched:
        run = label_source(
            source,
            sink,
            settings.question,
            model=settings.model,
            endpoint=endpoint,
            journal=journal or journal_path(),
            limits=settings.limits,
            manner=manner_of(samples, settings),
            run_name=key,
            on_progress=_both(watched.report, report),
            stop=watched.stop,
            reuse=settings.reuse,
        )
        watched.finish(run)
    return run


def manner_of(samples: fo.SampleCollection, settings: LabelSettings) -> Manner:
    """Say how the question is put, with examples out of the whole dataset.

    Raises `UsageError` for examples without labels, too many, or none.
    """
    if not settings.examples:
        return settings.manner
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    tagged = dataset.match_tags(settings.examples_tag)
    shown = examples_of(tagged, settings.examples, settings.form)
    return replace(settings.manner, examples=shown)


def _sink(samples: fo.SampleCollection, settings: LabelSettings, key: str) -> FieldSink:
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    return FieldSink(
        dataset, settings.field, settings.form, times=settings.times, run_key=key
    )


def _both(first: Report, second: Report | None) -> Report:
    """Report to two."""

    def report(now: Progress) -> None:
        first(now)
        if second is not None:
            second(now)

    return report


def plan(
    samples: fo.SampleCollection, *, look: bool = False, **choices: Unpack[Choices]
) -> Plan:
    """Foresee what `label` with the same choices would ask for, cost and take.

    Nothing is sent and no key is needed. With `look` every picture is read, and replies
    that are in the journal are not counted. Raises `UsageError` and `MediaError`.
    """
    return plan_labels(samples, _settings(choices), look=look)


def plan_labels(
    samples: fo.SampleCollection, settings: LabelSettings, *, look: bool = False
) -> Plan:
    """Foresee a run that one value describes."""
    source, manner = ViewSource(samples), manner_of(samples, settings)
    if not look:
        return plan_run(
            source,
            settings.question,
            model=settings.model,
            limits=settings.limits,
            manner=manner,
        )
    emulated = find_endpoint(offline=True).kind == "emulator"
    with Journal(journal_path(), settings.reuse.stale) as book:
        return plan_run(
            source,
            settings.question,
            model=settings.model,
            limits=settings.limits,
            manner=manner,
            stored=stored_in(book, emulated=emulated),
        )


def resume(
    dataset: fo.Dataset,
    run: str,
    *,
    endpoint: Endpoint | None = None,
    progress: bool = True,
    retry: str = "",
    offline: bool = False,
) -> Run:
    """Go on with a run of the last 30 days: what has a reply is not asked again.

    `retry` asks again for replies that failed, `offline` reads the stored ones again
    with the parser of today; see `LabelSettings`. Raises `UsageError` for a run that is
    not known or still at work, and what `label` raises.
    """
    view, settings = resumable(dataset, run, retry=retry, offline=offline)
    found = endpoint or find_endpoint(offline=settings.offline)
    with progress_bar(settings.task, shown=progress) as report:
        return run_labels(view, settings, found, report=report, key=run)


def resumable(
    dataset: fo.Dataset, run: str, *, retry: str = "", offline: bool = False
) -> tuple[fo.SampleCollection, LabelSettings]:
    """Give the samples and settings of a run that can go on; raises `UsageError`."""
    live = find_live(dataset, run)
    if live is None:
        raise UsageError(
            f"How the run {run!r} was started is not known (it is kept for 30 days). "
            "Label the same samples with the same settings: the journal answers what "
            "it can."
        )
    if live.goes_on:
        raise UsageError(f"The run {run!r} is still at work; stop it first.")
    view = fo.DatasetView._build(dataset, live.view)  # noqa: SLF001 - no public twin
    again = {**live.settings, "retry": retry, "offline": offline}
    return view, LabelSettings.from_params(again)
