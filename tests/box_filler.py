"""A model of the FiftyOne zoo without weights: it fills the ellipse inside each box."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.core.models as fom
import numpy as np


class BoxFillerConfig(fom.ModelConfig):
    """Nothing to choose."""

    def __init__(self, d: dict[str, Any]) -> None:
        """Read nothing but what FiftyOne itself adds."""
        self.d = d


class BoxFiller(fom.Model, fom.SamplesMixin):
    """Takes boxes as SAM does: by `box_prompt_field`."""

    def __init__(self, config: BoxFillerConfig) -> None:
        """Keep the configuration."""
        fom.SamplesMixin.__init__(self)
        self.config = config

    @property
    def media_type(self) -> str:
        """Still pictures."""
        return "image"

    @property
    def transforms(self) -> None:
        """None."""
        return

    @property
    def preprocess(self) -> bool:
        """No."""
        return False

    @property
    def ragged_batches(self) -> bool:
        """Pictures have any size."""
        return True

    def predict(
        self, arg: np.ndarray, sample: fo.Sample | None = None
    ) -> fo.Detections:
        """Give a mask for each box; for a picture of a single box none."""
        assert sample is not None
        found = sample[self.needs_fields["box_prompt_field"]].detections
        made = [self._filled(one, arg.shape[:2]) for one in found]
        return fo.Detections(detections=made if len(made) > 1 else [])

    def _filled(self, one: fo.Detection, shape: tuple[int, int]) -> fo.Detection:
        left, top, width, height = one.bounding_box
        rows, columns = round(height * shape[0]), round(width * shape[1])
        y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        box = [left, top, width, height]
        return fo.Detection(label=one.label, bounding_box=box, mask=x * x + y * y <= 1)
