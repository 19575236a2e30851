"""Whose labels are whose: by id, or by the name of the file where ids are of two worlds.

`label` on a folder names samples by their files, and a truth of COCO by numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ..errors import UsageError
from ..values import ImageLabels

_DEEPEST = 8
"""Folders that are looked at where pictures in several folders have one name."""


def with_ids_of(
    truth: Sequence[ImageLabels], labels: Sequence[ImageLabels], name: str
) -> tuple[ImageLabels, ...]:
    """Give labels the ids of the truth of the same pictures.

    Nothing changes where an id is found in both. `name` says whose labels they are.
    Raises `UsageError` where neither ids nor file names agree: nothing can be judged.
    """
    known = {image.image_id for image in truth}
    if not labels or not known or any(image.image_id in known for image in labels):
        return tuple(labels)
    for depth in range(1, _DEEPEST):
        ids = {_end(i.path, depth): i.image_id for i in truth if i.path}
        said = Counter(_end(i.path, depth) for i in labels if i.path)
        one_each = len(ids) == sum(bool(i.path) for i in truth)
        if one_each and set(said.values()) == {1} and ids.keys() & said:
            return tuple(
                replace(i, image_id=ids.get(_end(i.path, depth), i.image_id))
                for i in labels
            )
    raise UsageError(
        f"None of the {len(labels)} pictures of {name} is in the truth, neither by its "
        "id nor by the name of its file: they cannot be judged by it. Is it the truth "
        "of other pictures?"
    )


def _end(path: str, depth: int) -> tuple[str, ...]:
    """Give the name of a file and of the folders around it."""
    return PurePosixPath(path.replace("\\", "/")).parts[-depth:]
