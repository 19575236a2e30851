"""What a dataset has beside its pictures, made of the options of `options.Beside`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..asking import Manner
from ..errors import UsageError
from ..pipeline import Sink, Source
from ..tasks import form_of
from ..values import Question
from .datasets import open_dataset
from .names import read_names
from .options import Beside

if TYPE_CHECKING:
    import fiftyone as fo


def open_source(dataset: str, beside: Beside) -> Source:
    """Open the samples that are asked about, or their boxes; examples are not asked."""
    from ..labels.regions import RegionSource
    from ..labels.samples import ViewSource

    view = _asked(open_dataset(dataset), beside)
    if beside.regions:
        return RegionSource(view, beside.regions, margin=beside.margin)
    others = read_names(beside.others)
    return ViewSource(view, others=others, media_field=beside.media_field)


def open_sink(
    dataset: str, field: str, question: Question, times: int, beside: Beside
) -> Sink:
    """Open fields of the samples, or attributes of their boxes, to write to."""
    from ..labels.regions import RegionSink
    from ..labels.verify import VerifySink
    from ..labels.write import FieldSink

    found, form = open_dataset(dataset), form_of(question)
    if not beside.regions:
        return FieldSink(found, field, form, times=times)
    if times > 1:
        raise UsageError("--regions asks once about each box; leave out --times.")
    if question.task == "verify":
        return VerifySink(found, beside.regions, field)
    return RegionSink(found, beside.regions, field, form)


def with_examples(
    manner: Manner, dataset: str, question: Question, beside: Beside
) -> Manner:
    """Add the examples that the dataset holds."""
    if not beside.examples:
        return manner
    from ..labels.examples import examples_of

    found, form = open_dataset(dataset), form_of(question)
    good = found.match_tags(beside.examples_tag)
    shown = examples_of(good, beside.examples, form)
    if tag := beside.counterexamples_tag:
        bad = found.match_tags(tag)
        shown += examples_of(bad, beside.examples, form, good=False)
    return replace(manner, examples=shown)


def _asked(dataset: fo.Dataset, beside: Beside) -> fo.SampleCollection:
    """Give the samples that are asked about."""
    view: fo.SampleCollection = dataset
    if beside.group_slice:
        if beside.group_slice not in (dataset.group_slices or ()):
            raise UsageError(f"The dataset has no slice {beside.group_slice!r}.")
        view = dataset.select_group_slices(beside.group_slice)
    if not beside.examples:
        return view
    tags = [beside.examples_tag, beside.counterexamples_tag]
    return view.match_tags([tag for tag in tags if tag], bool=False)
