"""Objects at moments of a video, as pictures with objects: one for each true moment.

`evaluate` then judges them like any other objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...values import Detection, ImageLabels, Sighting, Status

TOLERANCE = 0.5
"""Seconds by which what was said may be off the moment it is about."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Truth and predictions as pictures; `left_out` sightings are near no true moment."""

    truth: tuple[ImageLabels, ...]
    predicted: tuple[ImageLabels, ...]
    left_out: int


def split_moments(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    tolerance_seconds: float = TOLERANCE,
) -> Moments:
    """Make a picture of each true moment; what was said goes to the nearest one.

    Its id is that of the video and the time, as `clip.mp4@2.500s`. A video without an
    answer fails at each of its moments.
    """
    said = {image.image_id: image for image in predicted}
    true_pictures: list[ImageLabels] = []
    pictures: list[ImageLabels] = []
    left_out = 0
    for video in truth:
        true = _by_moment(sightings_of(video))
        true_pictures += [_picture(video, t, found) for t, found in true.items()]
        answer = said.get(video.image_id)
        if answer is None:
            continue
        near: dict[float, list[Detection]] = defaultdict(list)
        for sighting in sightings_of(answer):
            moment = _nearest(sighting.seconds, true, tolerance_seconds)
            if moment is None:
                left_out += 1
            else:
                near[moment].append(sighting.detection)
        pictures += [_picture(answer, t, near[t]) for t in true]
    return Moments(tuple(true_pictures), tuple(pictures), left_out)


def sightings_of(video: ImageLabels) -> tuple[Sighting, ...]:
    """Give the sightings among the labels of a video."""
    return tuple(value for value in video.values if isinstance(value, Sighting))


def _by_moment(sightings: Sequence[Sighting]) -> dict[float, list[Detection]]:
    found: dict[float, list[Detection]] = defaultdict(list)
    for sighting in sorted(sightings, key=lambda s: s.seconds):
        found[sighting.seconds].append(sighting.detection)
    return found


def _nearest(seconds: float, moments: Iterable[float], most: float) -> float | None:
    """Find the nearest moment, of two the earlier; None when it is too far."""
    best = min(moments, key=lambda t: (abs(t - seconds), t), default=None)
    return best if best is not None and abs(best - seconds) <= most else None


def _picture(
    video: ImageLabels, seconds: float, detections: Sequence[Detection]
) -> ImageLabels:
    status, answered = video.status, video.status.answers(len(video.values))
    if answered:
        status = Status.OK if detections else Status.EMPTY
    return replace(
        video,
        image_id=f"{video.image_id}@{seconds:.3f}s",
        values=tuple(detections) if answered else (),
        status=status,
    )
