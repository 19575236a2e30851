"""Gemini as a model of FiftyOne: `dataset.apply_model(model, label_field=...)`.

A thin adaptor over the pipeline, for those who know `apply_model`. It opens every
picture before it asks, keeps no record of the run, and cannot be stopped by the panel:
`label` can all that. Replies stand in the same journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Unpack, cast

import fiftyone as fo
import fiftyone.core.models as fom

from ..environment import find_endpoint, journal_path
from ..errors import UsageError
from ..labels.kinds import documents
from ..pipeline import label as label_source
from ..settings import Choices, LabelSettings
from ..values import Item, Kind, Parsed, Run

FIELD = "label"


class GeminiModel(fom.SamplesMixin, fom.Model):  # type: ignore[misc]
    """Asks Gemini about samples; `choices` are those of `LabelSettings`.

    A sample without an answer gets no label. A `budget` holds over all calls. Raises
    `UsageError`, and while it is applied what `label` raises.
    """

    media_type = "image"
    ragged_batches = False
    transforms = None
    preprocess = False

    def __init__(self, **choices: Unpack[Choices]) -> None:
        fom.SamplesMixin.__init__(self)
        self._settings = LabelSettings(**cast("dict[str, Any]", choices))
        self._form = self._settings.form
        if self._settings.examples:
            raise UsageError(
                "Examples come from the labels of a dataset, which a model does not "
                "know: use fiftyone_gemini.label."
            )
        self._spent = 0.0

    def predict(self, arg: Any, sample: fo.Sample | None = None) -> Any:
        """Label one sample."""
        return self.predict_all([arg], [sample])[0]

    def predict_all(
        self,
        args: Sequence[Any],  # noqa: ARG002 - the file itself is sent, not its pixels
        samples: Sequence[fo.Sample | None] | None = None,
    ) -> list[Any]:
        """Label several samples at one time."""
        held = [sample for sample in samples or () if sample is not None]
        sink = _Kept()
        run = label_source(
            _Held(held),
            sink,
            self._settings.question,
            model=self._settings.model,
            endpoint=find_endpoint(offline=self._settings.offline),
            journal=journal_path(),
            limits=self._left().limits,
            manner=self._settings.manner,
            reuse=self._settings.reuse,
        )
        self._spent += run.cost_usd or 0.0
        return [self._label(sink.found.get(sample.id)) for sample in held]

    def _left(self) -> LabelSettings:
        """Give the settings with what is left of the budget."""
        if self._settings.budget is None:
            return self._settings
        return replace(self._settings, budget=self._settings.budget - self._spent)

    def _label(self, parsed: Parsed | None) -> Any:
        """Make the label, or the texts by their names; None without an answer."""
        if parsed is None or parsed.frame is None:
            return None
        if not parsed.status.answers(len(parsed.values)):
            return None
        made = documents(FIELD, self._form, parsed.values, parsed.frame)
        if self._form.kind is Kind.TEXT:
            named = {n.removeprefix(f"{FIELD}_"): text for n, text in made.items()}
            return (
                named if len(named) > 1 else made.get(FIELD, next(iter(named.values())))
            )
        document = made[FIELD]
        return (
            None
            if document is None
            else getattr(fo, document["_cls"]).from_dict(document)
        )


class _Held:
    """Samples in memory as the source of a run."""

    def __init__(self, samples: Sequence[fo.Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def items(self) -> Iterator[Item]:
        """Give one item per sample."""
        for sample in self._samples:
            yield Item(sample.id, sample.filepath)


class _Kept:
    """Keeps what samples came to, for those who asked."""

    def __init__(self) -> None:
        self.found: dict[str, Parsed] = {}

    def write(self, parsed: Parsed) -> None:
        """Keep one."""
        self.found[parsed.item.sample_id] = parsed

    def finish(self, run: Run) -> None:
        """Nothing is left to do."""
