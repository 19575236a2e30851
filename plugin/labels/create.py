"""`ImageLabels` to a FiftyOne dataset: pictures with known labels are made one."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from ..values import ImageLabels
from .convert import to_fiftyone


def create_dataset(
    name: str, images: Sequence[ImageLabels], field: str = "ground_truth"
) -> fo.Dataset:
    """Make a persistent dataset of labelled pictures, replacing one of the same name.

    The image id of each picture is kept in the field `coco_id`.
    """
    dataset = fo.Dataset(name, persistent=True, overwrite=True)
    dataset.add_samples((_sample(image, field) for image in images), progress=False)
    return dataset


def show_first(dataset: fo.Dataset, field: str) -> None:
    """Let the App open on one label field, each class in a colour of its own."""
    dataset.app_config.default_visibility_labels = {"include": [field]}
    dataset.app_config.color_scheme = fo.ColorScheme(color_by="value", opacity=0.5)
    dataset.save()


def _sample(image: ImageLabels, field: str) -> fo.Sample:
    frame = image.frame
    return fo.Sample(
        filepath=image.path,
        metadata=fo.ImageMetadata(width=frame.width, height=frame.height),
        coco_id=image.image_id,
        **{field: to_fiftyone(image.detections, frame)},
    )
