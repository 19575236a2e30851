"""Labels of any kind but objects -> `KindScores`; objects have `evaluation.judge`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...errors import UsageError
from ...values import (
    Answer,
    Box3d,
    Detection,
    ImageLabels,
    Kind,
    Point,
    Sighting,
    Span,
    Trajectory,
    Value,
)
from ..bootstrap import f1_resamples
from ..intervals import SEED
from ..names import Names
from ..ontology import Ontology, labels_of, map_labels, survey_names
from .numbers import Judgement, KindScores, work_out
from .pairs import ItemPair, Joined, join
from .points import RADIUS, judge_points
from .spans import MAIN_IOU, judge_spans
from .tags import judge_tags, tags_of
from .texts import judge_texts

NEEDS_LABEL = frozenset({Kind.TAG, Kind.TEXT})
JUDGED = (Kind.TAG, Kind.TAGS, Kind.TEXT, Kind.POINTS, Kind.SPANS)
_KIND_OF: tuple[tuple[type[Value], Kind], ...] = (
    (Point, Kind.POINTS),
    (Span, Kind.SPANS),
    (Answer, Kind.TEXT),
    (Sighting, Kind.SIGHTINGS),
    (Trajectory, Kind.PATHS),
    (Box3d, Kind.SOLIDS),
    (Detection, Kind.OBJECTS),
)


def judge_kind(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    kind: Kind | None = None,
    radius: float = RADIUS,
    tiou: float = MAIN_IOU,
    ontology: Ontology | None = None,
    seed: int = SEED,
) -> KindScores:
    """Judge tags, texts, points or spans, item by item.

    `kind`: what the predictions are, unless named (`find_kind`). `radius`: how near to a
    true point is right, as a share of the diagonal; `tiou`: which overlap of two
    stretches of time. With an `ontology`, labels are matched to those of the truth first;
    without one, nothing is renamed. Raises UsageError for another kind, and when an
    item comes twice.
    """
    kind = kind or find_kind(predicted, truth)
    if kind not in JUDGED:
        known = ", ".join(JUDGED)
        raise UsageError(f"Labels of the kind {kind} are not judged here, but {known}.")
    predicted, names = _named(truth, predicted, ontology)
    joined = join(truth, predicted, needs_label=kind in NEEDS_LABEL)
    if not joined.pairs:
        raise UsageError(f"The truth holds no labels of the kind {kind}.")
    found = _judged(joined.pairs, kind, radius, tiou)
    return _scores(kind, joined, found, tuple(names.remarks()), seed)


def _scores(
    kind: Kind, joined: Joined, found: Judgement, remarks: tuple[str, ...], seed: int
) -> KindScores:
    """Put numbers and intervals beside what was judged."""
    answered = [pair.answered for pair in joined.pairs]
    return KindScores(
        kind=kind,
        items=len(joined.pairs),
        answered=sum(answered),
        statuses=Counter(pair.status for pair in joined.pairs),
        numbers=work_out(found.measures, answered, seed),
        sheets=found.sheets,
        verdicts=found.verdicts,
        remarks=(*found.remarks, *remarks),
        resamples=f1_resamples(len(answered)),
        unknown_items=joined.unknown_items,
        unlabelled=joined.unlabelled,
        measures=found.measures,
    )


def _named(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    ontology: Ontology | None,
) -> tuple[Sequence[ImageLabels], Names]:
    """Match labels to those of the truth, where that was asked for."""
    classes = {label for image in truth for label in labels_of(image)}
    if ontology is None:
        return predicted, survey_names(predicted, classes)
    mapped = map_labels(predicted, classes, ontology)
    return mapped.images, mapped.names


def find_kind(*sides: Sequence[ImageLabels]) -> Kind:
    """See the kind in the labels, of the first side that has any.

    Tags are one for each item where no item of any side has two. Raises UsageError
    without any label.
    """
    for images in sides:
        values = [value for image in images for value in image.values]
        for kind_of, kind in _KIND_OF:
            if any(isinstance(value, kind_of) for value in values):
                return kind
        if values:
            every = (image for side in sides for image in side)
            most = max(len(tags_of(image.values)) for image in every)
            return Kind.TAGS if most > 1 else Kind.TAG
    raise UsageError("There is no label, so that the kind of labels cannot be seen.")


def _judged(
    pairs: Sequence[ItemPair], kind: Kind, radius: float, tiou: float
) -> Judgement:
    if kind is Kind.TEXT:
        return judge_texts(pairs)
    if kind is Kind.POINTS:
        return judge_points(pairs, radius)
    if kind is Kind.SPANS:
        return judge_spans(pairs, tiou)
    return judge_tags(pairs, kind)
