"""FiftyOne operators: read the form, call the pipeline, show the result."""

from __future__ import annotations

from .evaluate import Evaluate
from .export_coco import ExportCoco
from .label_samples import LabelSamples

OPERATORS = (LabelSamples, Evaluate, ExportCoco)
