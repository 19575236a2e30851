"""The vocabulary: frozen values that travel along the arrows of `pipeline.py`.

Pixel coordinates are those of the upright picture (EXIF orientation applied), which
FiftyOne shows: x to the right, y down, origin at the top left corner of the picture.
Read `asking`, `labels` and `replies` first: what goes out, what can be said, what comes
back.
"""

from .asking import (
    WHOLE,
    Ask,
    Clip,
    Example,
    Item,
    MaskShape,
    Media,
    Medium,
    Parameters,
    Part,
    Question,
    Request,
    Shown,
)
from .counts import ObjectCounts, by_code
from .footage import Footage
from .geometry import BoolArray, Box, Frame, Mask
from .labels import (
    Answer,
    Box3d,
    Detection,
    Form,
    ImageLabels,
    Kind,
    Point,
    Sighting,
    Span,
    Tag,
    Trajectory,
    Value,
    detections_of,
)
from .moving import moved
from .plain import JsonValue
from .replies import Issue, Parsed, Reading, Reply, Usage
from .runs import Run
from .statuses import Status

__all__ = [
    "WHOLE",
    "Answer",
    "Ask",
    "BoolArray",
    "Box",
    "Box3d",
    "Clip",
    "Detection",
    "Example",
    "Footage",
    "Form",
    "Frame",
    "ImageLabels",
    "Issue",
    "Item",
    "JsonValue",
    "Kind",
    "Mask",
    "MaskShape",
    "Media",
    "Medium",
    "ObjectCounts",
    "Parameters",
    "Parsed",
    "Part",
    "Point",
    "Question",
    "Reading",
    "Reply",
    "Request",
    "Run",
    "Shown",
    "Sighting",
    "Span",
    "Status",
    "Tag",
    "Trajectory",
    "Usage",
    "Value",
    "by_code",
    "detections_of",
    "moved",
]
