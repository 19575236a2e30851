"""A FiftyOne view as the source of a run: which pictures or videos are asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..values import Item, Medium

_MEDIA: Mapping[str | None, Medium] = {
    None: Medium.IMAGE,
    fo.core.media.IMAGE: Medium.IMAGE,
    fo.core.media.VIDEO: Medium.VIDEO,
}


class ViewSource:
    """The samples of a view, as items; neither samples nor pictures are loaded.

    Items bring along the words of the fields `names`, and the pictures that the fields
    `others` name, or those of other slices of a grouped dataset; `media_field` is where the
    path or URL stands. Raises `UsageError` for a view of anything but whole images or
    videos.
    """

    def __init__(
        self,
        view: fo.SampleCollection,
        *,
        names: Sequence[str] = (),
        others: Sequence[str] = (),
        media_field: str = "filepath",
    ) -> None:
        if view.media_type not in _MEDIA:
            raise UsageError(
                f"Only images and videos can be labelled; this view holds "
                f"{view.media_type} samples. Of a grouped dataset, select one slice."
            )
        if view._is_generated:  # noqa: SLF001 - no public twin
            raise UsageError(
                "This view shows patches, clips or frames; only whole images and "
                "videos can be labelled. Go back to the samples."
            )
        slices = view._root_dataset.group_slices or ()  # noqa: SLF001 - no public twin
        fields = [name for name in others if name not in slices]
        check_names(view, (*names, *fields, media_field))
        self._view = view
        self._names = tuple(names)
        self._others = tuple(others)
        self._media_field = media_field

    @property
    def medium(self) -> Medium:
        """What the samples are."""
        return _MEDIA[self._view.media_type]

    def telling(self, names: Sequence[str]) -> ViewSource:
        """Give the same samples with the words of these fields."""
        return ViewSource(
            self._view,
            names=names,
            others=self._others,
            media_field=self._media_field,
        )

    def __len__(self) -> int:
        """Count the samples."""
        return self._view.count()

    def items(self) -> Iterator[Item]:
        """Give one item per sample, in the order of the view."""
        columns = [self._view.values(name) for name in ("id", self._media_field)]
        told = zip(*(self._view.values(name) for name in self._names), strict=True)
        words = list(told) if self._names else [()] * len(columns[0])
        beside = zip(*(self._beside(name) for name in self._others), strict=True)
        others = list(beside) if self._others else [()] * len(columns[0])
        for sample_id, path, said, more in zip(*columns, words, others, strict=True):
            paths = tuple(path for other in more for path in _paths(other))
            named = dict(zip(self._names, map(in_words, said), strict=True))
            yield Item(sample_id, path or "", paths, named)

    def _beside(self, name: str) -> list[Any]:
        """Give the other pictures of each sample: of a field, or a slice of its group."""
        dataset = self._view._root_dataset  # noqa: SLF001 - no public twin
        if name not in (dataset.group_slices or ()):
            found: list[Any] = self._view.values(name)
            return found
        group = f"{dataset.group_field}.id"
        there = dataset.select_group_slices(name).values([group, "filepath"])
        paths = dict(zip(*there, strict=True))
        return [paths.get(key) for key in self._view.values(group)]


def check_names(view: fo.SampleCollection, names: Sequence[str]) -> None:
    """Raise `UsageError` for a name that is no field of the samples."""
    for name in names:
        if view.get_field(name) is None:
            known = ", ".join(view.get_field_schema())
            raise UsageError(
                f"{{{name}}} is no field of the samples; there are: {known}. To send the "
                f"braces themselves, write {{{{{name}}}}}."
            )


def in_words(value: Any) -> str:
    """Put the value of a field in words: a label by its class, a list with commas."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(word for word in map(in_words, value) if word)
    if isinstance(value, fo.Classification):
        return value.label or ""
    if isinstance(value, fo.Label):
        inside = {
            fo.Detections: "detections",
            fo.Classifications: "classifications",
            fo.Keypoints: "keypoints",
            fo.Polylines: "polylines",
        }.get(type(value))
        return in_words([entry.label for entry in value[inside]] if inside else None)
    return str(value)


def _paths(value: Any) -> tuple[str, ...]:
    """Read the paths of other pictures: a text or a list of texts."""
    if isinstance(value, str) and value:
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(path for entry in value for path in _paths(entry))
    return ()
